import * as z from "zod";
import { endReason } from "../api/cases.ts";
import {
  bundleId,
  caseNumber,
  grantId,
  guid,
  purpose,
  stampId,
  toUtcTime,
  type UtcTime,
  utcTime,
} from "../api/primitives.ts";
import type { BundleRecord } from "./bundle.ts";
import type { CaseRecord } from "./case.ts";
import { canonicalDigest } from "./digest.ts";
import { subjectId } from "./people.ts";
import { isPurgeDue } from "./purge.ts";
import type { SenderRecord } from "./sender.ts";

/** A grant lends bundles of a case to one engineer, for a purpose and a time. */

export type EndReason = z.infer<typeof endReason>;

export const grantRecord = z.object({
  grantId,
  caseNumber,
  grantee: subjectId,
  purpose,
  justificationNote: guid,
  /** Salted, as the events have it; absent on a grant from before it was kept here. */
  justificationDigest: z.string().optional(),
  /** Each with the upload epoch of its stamp, which disabling raises. */
  bundles: z.array(z.object({ stampId, bundleId, stampEpoch: z.int() })),
  /** Only these roles' zips and files; absent: everything. */
  roles: z.array(z.string()).optional(),
  durationMinutes: z.int(),
  /** While it waits for approval: when it was asked for, and when that lapses. */
  startsOn: utcTime,
  expiresOn: utcTime,
  /** The stamps whose operators have to approve it, and when the last of them had. */
  approval: z
    .object({ stampIds: z.array(stampId), requestedOn: utcTime, lapsesOn: utcTime, approvedOn: utcTime.optional() })
    .optional(),
  /** The epochs of the case and of the assignment that it was given under. */
  openEpoch: z.int(),
  assigneeEpoch: z.int(),
  ended: z.object({ on: utcTime, reason: endReason }).optional(),
});
export type GrantRecord = z.infer<typeof grantRecord>;

/** What the engineer asked for, all of which an operator is shown: it never changes once the grant stands. */
export type AskedFor = Pick<
  GrantRecord,
  "caseNumber" | "grantId" | "grantee" | "purpose" | "justificationDigest" | "bundles" | "roles" | "durationMinutes"
>;

/** Lower-case hex SHA-256 of the RFC 8785 form of what was asked for, whatever the order of bundles and roles. */
export function askedDigest(asked: AskedFor): string {
  const { caseNumber, grantId, grantee, purpose, justificationDigest, bundles, roles, durationMinutes } = asked;
  return canonicalDigest({
    caseNumber,
    grantId,
    grantee,
    purpose,
    bundles: bundleNames(bundles).sort(),
    durationMinutes,
    ...(roles === undefined ? {} : { roles: [...roles].sort() }),
    ...(justificationDigest === undefined ? {} : { justificationDigest }),
  });
}

/** Whether it waits for approval, as long as it has not ended. */
export const isPending = ({ approval }: GrantRecord): boolean =>
  approval !== undefined && approval.approvedOn === undefined;

/** When and why the grant ended, whether or not that has been written yet. */
export function grantEnd(
  grant: GrantRecord,
  record: CaseRecord,
  now: Date,
): { on: UtcTime; reason: EndReason } | undefined {
  if (grant.ended !== undefined) return grant.ended;
  const endOfTime = { on: grant.expiresOn, reason: isPending(grant) ? "approvalLapsed" : "expired" } as const;
  const isOver = now.getTime() >= Date.parse(grant.expiresOn);
  if (isOver && Date.parse(grant.expiresOn) < Date.parse(record.updatedOn)) return endOfTime;
  if (grant.openEpoch !== record.openEpoch) return { on: record.closedOn ?? record.updatedOn, reason: "caseClosed" };
  const assignment = record.assignees.find((each) => each.subjectId === grant.grantee);
  if (assignment?.epoch !== grant.assigneeEpoch) return { on: record.updatedOn, reason: "unassigned" };
  return isOver ? endOfTime : undefined;
}

/** What a grant's bundle has come to since it was lent. */
export type LentBundle = {
  readonly stampEpoch: number;
  readonly bundle: BundleRecord | undefined;
  readonly stamp: SenderRecord | undefined;
};

/** Why a bundle can be lent no more under a grant that was given under `stampEpoch`; undefined where it still can. */
export function lostReason({ stampEpoch, bundle, stamp }: LentBundle, now: Date): EndReason | undefined {
  if (bundle === undefined || stamp === undefined) return "bundlePurged";
  if (stamp.uploadEpoch !== stampEpoch) return "stampDisabled";
  if (bundle.erasure !== undefined) return "bundleErased";
  return isPurgeDue(bundle, now) ? "bundlePurged" : undefined;
}

/** A grant ends with the last of its bundles. */
export function endByLoss(bundles: readonly LentBundle[], now: Date): { on: UtcTime; reason: EndReason } | undefined {
  const reasons = bundles.map((each) => lostReason(each, now));
  const last = reasons.at(-1);
  return last === undefined || reasons.includes(undefined) ? undefined : { on: toUtcTime(now), reason: last };
}

export const bundleNames = (bundles: readonly { stampId: string; bundleId: string }[]): string[] =>
  bundles.map((each) => `${each.stampId}/${each.bundleId}`);

/** The grant's own entry of the bundle; undefined where the grant does not hold it. */
export const bundleIn = (
  { bundles }: Pick<GrantRecord, "bundles">,
  { stampId, bundleId }: { readonly stampId: string; readonly bundleId: string },
): GrantRecord["bundles"][number] | undefined =>
  bundles.find((each) => each.stampId === stampId && each.bundleId === bundleId);

/** The same bundles whatever their order. */
export const bundleSet = (bundles: readonly { stampId: string; bundleId: string }[]): string =>
  bundleNames(bundles).sort().join();

/** The same roles whatever their order; undefined where all are lent. */
export const roleSet = (roles: readonly string[] | undefined): string | undefined => roles && [...roles].sort().join();

export const grantExpiry = (startsOn: Date, durationMinutes: number): UtcTime =>
  toUtcTime(new Date(startsOn.getTime() + durationMinutes * 60_000));
