import * as z from "zod";
import { bundleId, caseNumber, grantId, guid, purpose, stampId, utcTime } from "../api/primitives.ts";
import type { ChainedEvent } from "./event.ts";
import { subjectId } from "./people.ts";

const lent = z.object({
  on: utcTime,
  caseNumber,
  purpose,
  stampId,
  bundleId,
  grantId,
  accessor: subjectId,
});

/** An access as its stamp's partition keeps it: who was given a URL to which bundle, for which case and purpose. */
export const accessRecord = lent.extend({
  accessId: guid,
  /** One file of the bundle; absent for the whole. */
  pathDigest: z.string().optional(),
});
export type AccessRecord = z.infer<typeof accessRecord>;

/** An access as the ledger tells it; `seq` is its event's place in the stamp's partition. */
export const ledgerAccess = lent.extend({ seq: z.int(), pathDigest: z.string().optional() });
export type LedgerAccess = z.infer<typeof ledgerAccess>;

/** The access that an event tells of; undefined for every other event. */
export function accessOf(event: ChainedEvent): LedgerAccess | undefined {
  if (event.type !== "bundle.accessed") return undefined;
  return ledgerAccess.parse({ ...event.data, on: event.on, accessor: event.actor.id, seq: event.seq });
}
