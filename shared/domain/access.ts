import { z } from "zod";
import { bundleId, caseNumber, grantId, purpose, stampId, utcTime } from "../api/primitives.ts";
import type { ChainedEvent } from "./event.ts";
import { subjectId } from "./people.ts";

/** An access as the ledger tells it: who was given a URL to which bundle, for which case and purpose. */
export const ledgerAccess = z.object({
  on: utcTime,
  caseNumber,
  purpose,
  stampId,
  bundleId,
  grantId,
  accessor: subjectId,
  /** Its event's place in the stamp's partition. */
  seq: z.int(),
});
export type LedgerAccess = z.infer<typeof ledgerAccess>;

/** The access that an event tells of; undefined for every other event. */
export function accessOf(event: ChainedEvent): LedgerAccess | undefined {
  if (event.type !== "bundle.accessed") return undefined;
  return ledgerAccess.parse({ ...event.data, on: event.on, accessor: event.actor.id, seq: event.seq });
}
