import type { StampId } from "../../api/primitives.ts";
import { utcDay } from "../../domain/utcDay.ts";
import { toEntity } from "./entity.ts";
import type { Table } from "./table.ts";

/** Tables `nonces<yyyymmdd>`, one per UTC day of a signature's `created`: a replay is an insert conflict (invariant 8). */

export type Nonces = {
  /** Whether the nonce is new to the stamp; what was used once is false for ever after. */
  readonly use: (stampId: StampId, nonce: string, created: Date) => Promise<boolean>;
};

export function openNonces(tableNamed: (name: string) => Table): Nonces {
  const tables = new Map<string, Table>();
  const tableOf = (day: string): Table => {
    const known = tables.get(day);
    if (known !== undefined) return known;
    tables.clear();
    const opened = tableNamed(`nonces${day}`);
    tables.set(day, opened);
    return opened;
  };
  return {
    use: (stampId, nonce, created) => tableOf(utcDay(created)).insert(toEntity(stampId, nonce, {})),
  };
}
