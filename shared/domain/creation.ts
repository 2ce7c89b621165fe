import type { BundleRequest } from "../api/bundles.ts";
import type { UtcTime } from "../api/primitives.ts";
import { DomainError, type ErrorCode } from "../errors.ts";
import type { CoveringConsent } from "./bundle.ts";
import { purposesOf } from "./consent.ts";
import type { StampRecord } from "./stamp.ts";
import { isOlder, type OldestVersions } from "./versions.ts";

/** Who may create which bundle: small named rules, asked in order; the refusal names the first that says no (`DOMAIN.md`). */

/** The faults that an operator sees as alerts; every other fault id is a hidden failure event. */
export const visibleFaults: ReadonlySet<string> = new Set([
  "Urp.UpdateFailure",
  "Urp.UpdateWarning",
  "StorageService.Table.server.data.corruption-Critical",
  "AzureStack.ComputeController.HostUnresponsive",
  "StorageService.Blob.service.data.is.corrupted-Critical",
  "StorageService.Account.and.Container.Service.data.corruption-Critical",
]);

/** `yymm` of the first stamp version that captures hidden failure events. */
const firstHiddenEventsRelease = 2008;

export type Question = {
  readonly stamp: StampRecord;
  readonly request: Pick<BundleRequest, "mode" | "trigger" | "stampVersion">;
  /** Of the reference client; undefined for any other. */
  readonly clientVersion?: string | undefined;
  readonly oldest?: OldestVersions;
};
export type Rule = {
  readonly code: ErrorCode;
  readonly message: string;
  /** What the message says more, of the question at hand. */
  readonly adds?: (question: Question) => string;
  readonly allows: (question: Question) => boolean;
};

export const stampIsEnabled: Rule = {
  code: "StampDisabled",
  message: "This stamp is disabled and can send nothing. Ask for it to be enabled again.",
  allows: ({ stamp }) => stamp.state === "enabled",
};

export const stampVersionIsTaken: Rule = {
  code: "StampVersionTooOld",
  message:
    "Logs of this stamp version are no longer taken here. Update the stamp; until then share them from the privileged endpoint (Get-AzureStackLog).",
  adds: ({ oldest }) => `The oldest taken is ${oldest?.stamp}.`,
  allows: ({ request, oldest }) => oldest?.stamp === undefined || !isOlder(request.stampVersion, oldest.stamp),
};

export const clientVersionIsTaken: Rule = {
  code: "ClientVersionTooOld",
  message:
    "This version of the client is no longer taken here. Update the client, then run the same command again: nothing that was collected is lost.",
  adds: ({ oldest }) => `The oldest taken is ${oldest?.client}.`,
  allows: ({ clientVersion, oldest }) =>
    clientVersion === undefined || oldest?.client === undefined || !isOlder(clientVersion, oldest.client),
};

export const consentStands: Rule = {
  code: "ConsentNotGiven",
  message:
    "Proactive collection is not enabled for the stamp's present registration. Enable it (PUT …/consents/proactiveCollection), or send with mode sendNow.",
  allows: ({ stamp, request }) => request.mode !== "proactive" || stamp.consent?.state === "enabled",
};

export const triggerIsUnderConsent: Rule = {
  code: "TriggerBeforeConsent",
  message:
    "The trigger was raised before proactive collection was enabled. Only later triggers are covered; send these logs with mode sendNow.",
  allows: ({ stamp, request }) =>
    request.trigger === undefined ||
    stamp.consent?.enabledSince === undefined ||
    !isBefore(request.trigger.raisedOn, stamp.consent.enabledSince),
};

export const hiddenEventIsSupported: Rule = {
  code: "HiddenEventUnsupported",
  message:
    "Failure events that an operator does not see are collected from stamp version 2008 on. Update the stamp, or send these logs with mode sendNow.",
  allows: ({ request }) =>
    request.trigger === undefined ||
    visibleFaults.has(request.trigger.faultId) ||
    capturesHiddenEvents(request.stampVersion),
};

const rules: readonly Rule[] = [
  stampIsEnabled,
  stampVersionIsTaken,
  clientVersionIsTaken,
  consentStands,
  triggerIsUnderConsent,
  hiddenEventIsSupported,
];

/** Whether every rule allows the bundle. */
export const isCreatable = (question: Question): boolean => rules.every((rule) => rule.allows(question));

/** Throws the refusal of the first rule that does not allow the bundle. */
export function requireCreatable(question: Question): void {
  const refusing = rules.find((rule) => !rule.allows(question));
  if (refusing === undefined) return;
  throw new DomainError(refusing.code, refusalBy(refusing, question));
}

/** What a rule that does not allow the bundle says. */
export const refusalBy = ({ message, adds }: Rule, question: Question): string =>
  adds === undefined ? message : `${message} ${adds(question)}`;

/** A time of whole seconds is compared in whole seconds: it may have been cut. */
function isBefore(time: UtcTime, limit: UtcTime): boolean {
  const wholeSeconds = !time.includes(".");
  const bound = wholeSeconds ? Math.floor(Date.parse(limit) / 1000) * 1000 : Date.parse(limit);
  return Date.parse(time) < bound;
}

/** Whether a stamp of that version captures failure events that its operator does not see. */
export const capturesHiddenEvents = (stampVersion: string): boolean =>
  release(stampVersion) >= firstHiddenEventsRelease;

/** `1.<yymm>.<n>.<n>` → yymm. */
const release = (stampVersion: string): number => Number(stampVersion.split(".")[1]);

/** The consent that covers the bundle, named on its row for ever (invariant 4). Call after `requireCreatable`. */
export function coveringDecision(stamp: StampRecord, request: BundleRequest, decisionId: string): CoveringConsent {
  if (request.consent !== undefined) {
    const { decidedOn, termsVersion, purposes } = request.consent;
    return { decisionId, basis: "operator", decidedOn, termsVersion, purposes: purposesOf(purposes) };
  }
  const standing = stamp.consent;
  if (standing?.state !== "enabled") throw new DomainError("ConsentNotGiven", consentStands.message);
  return {
    decisionId: standing.decisionId,
    basis: "proactive",
    decidedOn: standing.decidedOn,
    termsVersion: standing.termsVersion,
    purposes: standing.purposes,
  };
}
