import { z } from "zod";
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
import type { CaseRecord } from "./case.ts";
import { subjectId } from "./people.ts";

/** A grant lends bundles of a case to one engineer, for a purpose and a time. */

export const endReason = z.enum(["expired", "caseClosed", "unassigned", "revoked"]);
export type EndReason = z.infer<typeof endReason>;

export const grantRecord = z.object({
  grantId,
  caseNumber,
  grantee: subjectId,
  purpose,
  justificationNote: guid,
  bundles: z.array(z.object({ stampId, bundleId })),
  durationMinutes: z.int(),
  startsOn: utcTime,
  expiresOn: utcTime,
  /** The epochs of the case and of the assignment that it was given under. */
  openEpoch: z.int(),
  assigneeEpoch: z.int(),
  ended: z.object({ on: utcTime, reason: endReason }).optional(),
});
export type GrantRecord = z.infer<typeof grantRecord>;

/** When and why the grant ended, whether or not that has been written yet. */
export function grantEnd(
  grant: GrantRecord,
  record: CaseRecord,
  now: Date,
): { on: UtcTime; reason: EndReason } | undefined {
  if (grant.ended !== undefined) return grant.ended;
  if (now.getTime() >= Date.parse(grant.expiresOn) && Date.parse(grant.expiresOn) < Date.parse(record.updatedOn)) {
    return { on: grant.expiresOn, reason: "expired" };
  }
  if (grant.openEpoch !== record.openEpoch) return { on: record.closedOn ?? record.updatedOn, reason: "caseClosed" };
  const assignment = record.assignees.find((each) => each.subjectId === grant.grantee);
  if (assignment?.epoch !== grant.assigneeEpoch) return { on: record.updatedOn, reason: "unassigned" };
  if (now.getTime() >= Date.parse(grant.expiresOn)) return { on: grant.expiresOn, reason: "expired" };
  return undefined;
}

/** The same bundles whatever their order. */
export const bundleSet = (bundles: readonly { stampId: string; bundleId: string }[]): string =>
  bundles
    .map((each) => `${each.stampId}/${each.bundleId}`)
    .sort()
    .join();

export const grantExpiry = (startsOn: Date, durationMinutes: number): UtcTime =>
  toUtcTime(new Date(startsOn.getTime() + durationMinutes * 60_000));
