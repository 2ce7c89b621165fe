import * as z from "zod";
import { approvalMode } from "../api/approvals.ts";
import { guid, keyId, purpose, stampId, type UtcTime, utcTime } from "../api/primitives.ts";
import { publicJwk } from "../api/publicJwk.ts";
import { cloud, disabledReason } from "../api/stamps.ts";
import { noLoad, stampLoad } from "./load.ts";

/** What the service knows of a stamp: the state that its partition's head carries, so that one read authenticates and decides. */

export const stampKeyRecord = z.object({
  keyId,
  jwk: publicJwk,
  addedBy: z.enum(["registration", "rotation"]),
  notBefore: utcTime.optional(),
  notAfter: utcTime.optional(),
  /** When the service first heard of it, by real time; absent on keys from before that was kept. */
  addedOn: utcTime.optional(),
  /** When it stops for good: left out of a registration, or replaced by rotation. Real time. */
  retiredOn: utcTime.optional(),
  retiredBy: z.enum(["registration", "rotation", "compromise"]).optional(),
  /** The key that brought it by rotation; absent on keys from before that was kept. */
  introducedBy: keyId.optional(),
});
export type StampKeyRecord = z.infer<typeof stampKeyRecord>;

export const standingConsent = z.object({
  decisionId: guid,
  state: z.enum(["enabled", "disabled"]),
  decidedOn: utcTime,
  /** Since when proactive collection has been enabled without a break. */
  enabledSince: utcTime.optional(),
  /** Subject id of the operator; the name is in the people directory. */
  decidedBy: z.string(),
  termsVersion: z.string(),
  purposes: z.array(purpose),
});
export type StandingConsent = z.infer<typeof standingConsent>;

export const standingApproval = z.object({
  mode: approvalMode,
  decidedOn: utcTime,
  /** Subject id of the operator. */
  decidedBy: z.string(),
  /** Since when approval has been asked for without a break. */
  requiredSince: utcTime.optional(),
});
export type StandingApproval = z.infer<typeof standingApproval>;

/** Milliseconds by which a stamp's clock may differ from ours (`API.md`, Signing a request). */
export const stampSkewMs = 60_000;

export const stampRecord = z.object({
  /** What else a sender may be: see `sender.ts`. */
  kind: z.literal("stamp").default("stamp"),
  stampId,
  displayName: z.string(),
  stampVersion: z.string(),
  deploymentId: guid,
  cloud,
  geography: z.string(),
  registrationResourceId: z.string(),
  registrationGeneration: z.int(),
  state: z.enum(["enabled", "disabled"]),
  disabledReason: disabledReason.optional(),
  /** Whether it was compromised and no registration has vouched for its keys since. */
  keysInDoubt: z.boolean().optional(),
  keys: z.array(stampKeyRecord),
  createdOn: utcTime,
  updatedOn: utcTime,
  /** Of the present registration generation; absent where none was given. */
  consent: standingConsent.optional(),
  /** Whether access needs the operator's approval; absent where nobody has decided. */
  accessApproval: standingApproval.optional(),
  /** Raised when proactive consent ends: a proactive upload lives only under its own epoch. */
  consentEpoch: z.int(),
  /** Raised when the stamp is disabled, and when it is found compromised: uploads and grants live only under their own epoch. */
  uploadEpoch: z.int(),
  load: stampLoad.default(noLoad),
});
export type StampRecord = z.infer<typeof stampRecord>;
export type DisabledReason = z.infer<typeof disabledReason>;

/**
 * The stamp once it is disabled, or disabled for another reason. Its uploads and what was lent of it end; what was lent since it was only lost ends
 * with its compromise.
 */
export function disabled(stamp: StampRecord, reason: DisabledReason): StampRecord {
  const isCompromise = reason === "compromised" && !keysAreInDoubt(stamp);
  const uploadEpoch = stamp.uploadEpoch + (stamp.state === "enabled" || isCompromise ? 1 : 0);
  const doubt = reason === "compromised" ? { keysInDoubt: true } : {};
  return { ...stamp, state: "disabled", disabledReason: reason, uploadEpoch, ...doubt };
}

/** Whether disabling it changes nothing. Once registration has vouched for its keys, a compromise is a new one. */
export const isDisabledAs = (stamp: StampRecord, reason: DisabledReason): boolean =>
  stamp.state === "disabled" && stamp.disabledReason === reason && (reason !== "compromised" || keysAreInDoubt(stamp));

/** Whether its keys wait for a registration that vouches for them. A row from before that was kept is in doubt while it is compromised. */
export const keysAreInDoubt = (stamp: StampRecord): boolean =>
  stamp.keysInDoubt ?? stamp.disabledReason === "compromised";

/** Whether the key signs nothing any more, by real time; one that registration left out at once, whatever an instance's clock says. */
export const isRetired = (key: StampKeyRecord, realNow: Date): boolean =>
  key.retiredBy === "registration" ||
  key.retiredBy === "compromise" ||
  (key.retiredOn !== undefined && Date.parse(key.retiredOn) <= realNow.getTime());

/** The end of a key's validity that its owner sees: the earlier of `notAfter` and retirement. */
export function validUntil(key: StampKeyRecord): UtcTime | undefined {
  const ends = [key.notAfter, key.retiredOn].filter((end) => end !== undefined);
  return ends.sort((a, b) => Date.parse(a) - Date.parse(b))[0];
}
