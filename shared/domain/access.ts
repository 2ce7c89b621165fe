import * as z from "zod";
import { bundleId, caseNumber, grantId, guid, purpose, stampId, utcTime } from "../api/primitives.ts";
import type { ChainedEvent } from "./event.ts";
import { subjectId } from "./people.ts";
import { utcDaySchema } from "./utcDay.ts";

/** A URL that reads, or the names of the files; rows from before lists were accesses are of URLs. */
const kind = z.enum(["read", "list"]);

const lent = z.object({
  kind: kind.default("read"),
  on: utcTime,
  caseNumber,
  purpose,
  stampId,
  bundleId,
  grantId,
  accessor: subjectId,
});

/** An access as its stamp's partition keeps it: who was given what of which bundle, for which case and purpose. */
export const accessRecord = lent.extend({
  accessId: guid,
  /** One file of the bundle; absent for the whole. */
  pathDigest: z.string().optional(),
});
export type AccessRecord = z.infer<typeof accessRecord>;

/** An access as the ledger tells it; `seq` is its event's place in the stamp's partition. */
export const ledgerAccess = lent.extend({ seq: z.int(), pathDigest: z.string().optional() });
export type LedgerAccess = z.infer<typeof ledgerAccess>;

/** A person's first list of a bundle's files on a UTC day is told once: a row of the stamp's partition says that it was. */
export const listingMark = z.object({ day: utcDaySchema, bundleId, subject: subjectId });
export type ListingMark = z.infer<typeof listingMark>;

const kindOf = new Map<string, AccessRecord["kind"]>([
  ["bundle.accessed", "read"],
  ["bundle.listed", "list"],
]);

/** The access that an event tells of; undefined for every other event. */
export function accessOf(event: ChainedEvent): LedgerAccess | undefined {
  const kind = kindOf.get(event.type);
  if (kind === undefined) return undefined;
  return ledgerAccess.parse({ ...event.data, kind, on: event.on, accessor: event.actor.id, seq: event.seq });
}
