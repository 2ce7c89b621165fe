import { randomUUID } from "node:crypto";
import { odata, type TableServiceClient } from "@azure/data-tables";
import * as z from "zod";
import type { StampId } from "../../api/primitives.ts";
import { type UtcDay, utcDay } from "../../domain/utcDay.ts";
import { isNotFound, orUnavailable } from "../failures.ts";
import { toEntity } from "./entity.ts";
import type { Table } from "./table.ts";

/** Tables `nonces<yyyymmdd>`, one per UTC day of a signature's `created`: a replay is an insert conflict (invariant 8). */

export type Nonces = {
  /** Whether the nonce is new to the stamp; what was used once is false for ever after. */
  readonly use: (stampId: StampId, nonce: string, created: Date) => Promise<boolean>;
  /** Drops the tables of the days before `day` whole: no signature of theirs is in its window any more. */
  readonly dropBefore: (day: UtcDay) => Promise<void>;
};

const prefix = "nonces";
const named = z.object({ name: z.string() });

const use = z.object({ requestId: z.guid() });

export function openNonces(tableNamed: (name: string) => Table, openService: () => TableServiceClient): Nonces {
  const tables = new Map<string, Table>();
  const tableOf = (day: UtcDay): Table => {
    const known = tables.get(day);
    if (known !== undefined) return known;
    const opened = tableNamed(`${prefix}${day}`);
    tables.set(day, opened);
    return opened;
  };
  return {
    use: async (stampId, nonce, created) => {
      const table = tableOf(utcDay(created));
      const requestId = randomUUID();
      if (await table.insert(toEntity(stampId, nonce, { requestId }))) return true;
      // An insert whose answer was lost is refused when the client sends it again: then the row that stands is this request's own.
      return (await table.read(stampId, nonce, use))?.value.requestId === requestId;
    },
    dropBefore: (day) =>
      orUnavailable(async () => {
        const filter = odata`TableName ge ${prefix} and TableName lt ${`${prefix}${day}`}`;
        const service = openService();
        for await (const table of service.listTables({ queryOptions: { filter } })) {
          await drop(service, named.parse(table).name);
        }
        for (const known of tables.keys()) if (known < day) tables.delete(known);
      }),
  };
}

async function drop(service: TableServiceClient, name: string): Promise<void> {
  try {
    await service.deleteTable(name);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
