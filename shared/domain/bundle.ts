import * as z from "zod";
import { bundleState, mode, purgeBasis, rejectionCode } from "../api/bundles.ts";
import { bundleId, caseNumber, guid, purpose, stampId, toUtcTime, utcTime } from "../api/primitives.ts";
import { custodyRecord } from "./custody.ts";
import type { EventData } from "./event.ts";
import { expiresUnsubmittedOn } from "./retention.ts";
import { utcDay } from "./utcDay.ts";

/** A bundle and its one life (`DESIGN.md`, One idea). */

/** The decision that covers a bundle, named on its row for ever (invariant 4). */
export const coveringConsent = z.object({
  decisionId: guid,
  basis: z.enum(["proactive", "operator"]),
  decidedOn: utcTime,
  termsVersion: z.string(),
  purposes: z.array(purpose),
});
export type CoveringConsent = z.infer<typeof coveringConsent>;

export const bundleRecord = z.object({
  stampId,
  bundleId,
  mode,
  state: bundleState,
  trigger: z.object({ faultId: z.string(), raisedOn: utcTime }).optional(),
  fileName: z.string(),
  contentType: z.string(),
  sizeBytes: z.int(),
  sha256: z.string().optional(),
  caseNumber: caseNumber.optional(),
  logsFrom: utcTime.optional(),
  logsTo: utcTime.optional(),
  collectedOn: utcTime,
  stampVersion: z.string().optional(),
  roles: z.array(z.string()).optional(),
  createdOn: utcTime,
  submittedOn: utcTime.optional(),
  acceptedOn: utcTime.optional(),
  deleteBy: utcTime,
  /** Due by age. */
  purgeOn: utcTime,
  /** Due by the closing of the last of its cases, where that is a reason to delete. */
  caseClosedDueOn: utcTime.optional(),
  rejection: z.object({ code: rejectionCode, message: z.string() }).optional(),
  verification: z
    .object({
      attempts: z.int(),
      lastError: z.object({ code: z.string(), message: z.string() }).optional(),
      nextAttemptOn: utcTime.optional(),
    })
    .optional(),
  consentDecision: coveringConsent,
  links: z.array(z.object({ caseNumber, linkedOn: utcTime })),
  /** How it came, where it was saved locally and imported by its manifest. */
  custody: custodyRecord.optional(),
  erasure: z.object({ requestedOn: utcTime, dueOn: utcTime, requestedBy: z.string(), reasonNote: guid }).optional(),
  purge: z
    .object({
      basis: purgeBasis,
      intendedOn: utcTime,
      deletedOn: utcTime.optional(),
      /** Where the ledger says that the bytes are gone. */
      ledger: z.object({ partition: z.string(), seq: z.int(), hash: z.string() }).optional(),
    })
    .optional(),

  /** The W3C trace id of the request that created it: its lines carry it up to its purge. */
  traceId: z.string().optional(),
  /** SHA-256 of the canonical request, to tell a repeated create from another one. */
  requestDigest: z.string(),
  /** The epochs that it was created under; see `endedBy`. */
  consentEpoch: z.int(),
  uploadEpoch: z.int(),
  /** Where its bytes are: the storage account, and the landing container that is its own. */
  account: z.string(),
  landing: z.string(),
  /** Files of it were taken out and lent: some may still lie in the containers of their days. */
  isLentInParts: z.literal(true).optional(),
  /** The landed blob's ETag as it was submitted; only that version is verified. Absent where the bytes were copied before there was a bundle. */
  submittedEtag: z.string().optional(),
  /** The side row with the path that a file had in its drop box, where that is no file name. */
  pathNote: guid.optional(),
});
export type BundleRecord = z.infer<typeof bundleRecord>;

/** What a stamp or a drop box raises to end the uploads that it has under way. */
type Epochs = { readonly uploadEpoch: number; readonly consentEpoch: number };

/**
 * What ends an upload that is still `created`, if anything: the visible state may follow later. Its time comes first, for what was seen as expired
 * must not turn into something else when its stamp is disabled before a sweeper has written it.
 */
export function endedBy(bundle: BundleRecord, sender: Epochs, now: Date): "canceled" | "expired" | undefined {
  if (bundle.state !== "created") return undefined;
  if (now.getTime() >= expiresUnsubmittedOn(bundle.createdOn).getTime()) return "expired";
  if (bundle.uploadEpoch !== sender.uploadEpoch) return "canceled";
  if (bundle.mode === "proactive" && bundle.consentEpoch !== sender.consentEpoch) return "canceled";
  return undefined;
}

/** Names the bundle in an event, with what the retention report counts by. */
export const bundleFacts = (bundle: BundleRecord): EventData => ({
  stampId: bundle.stampId,
  bundleId: bundle.bundleId,
  day: utcDay(new Date(bundle.createdOn)),
  sizeBytes: bundle.sizeBytes,
});

/** What the row of a new bundle is rebuilt from, should the tables be lost (`docs/runbook.md`, Restore drill). */
export const keptFacts = (bundle: BundleRecord): EventData => ({
  account: bundle.account,
  landing: bundle.landing,
  purgeOn: bundle.purgeOn,
  decidedOn: bundle.consentDecision.decidedOn,
  collectedOn: bundle.collectedOn,
  ...(bundle.logsFrom === undefined ? {} : { logsFrom: bundle.logsFrom }),
  ...(bundle.logsTo === undefined ? {} : { logsTo: bundle.logsTo }),
  ...(bundle.stampVersion === undefined ? {} : { stampVersion: bundle.stampVersion }),
});

/** An event's data that moves a bundle from one state to another. */
export const transition = (from: BundleRecord, to: BundleRecord): EventData => ({
  ...bundleFacts(to),
  fromState: from.state,
  toState: to.state,
});

/** The bundle in one of the states that end an upload: its bytes are to be deleted at once. */
export const ended = (bundle: BundleRecord, state: "canceled" | "expired", now: Date): BundleRecord => ({
  ...bundle,
  state,
  purge: { basis: state, intendedOn: toUtcTime(now) },
});
