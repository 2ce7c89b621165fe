import { type LedgerAccess, ledgerAccess } from "../../domain/access.ts";
import type { AccessIndex } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import { newestFirst } from "./keys.ts";
import type { Table } from "./table.ts";

/** Table `accesses`: every access of every stamp, newest first; folded from the ledger, and safe to write twice. */

const partition = "accesses";

export function openAccessIndex(table: Table): AccessIndex {
  return {
    placeOf,
    placeBefore: (to) => newestFirst(to),
    put: async (access) => void (await table.put(toEntity(partition, placeOf(access), access))),
    list: (after) => table.scan({ partition, prefix: "", after }, ledgerAccess),
  };
}

const placeOf = (access: LedgerAccess): string =>
  `${newestFirst(access.on)}!${access.stampId}!${String(access.seq).padStart(12, "0")}`;
