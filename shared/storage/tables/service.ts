import { z } from "zod";
import { utcTime } from "../../api/primitives.ts";
import { type UtcDay, utcDaySchema } from "../../domain/utcDay.ts";
import type { Service } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import { openLedger, type Touch } from "./ledger.ts";
import type { Table } from "./table.ts";

/** Table `service`, partition `service`: what belongs to no stamp and no case. `container!<day>!<account>` tells how a day's deletion went. */

const partition = "service";
const begun = z.object({ begun: z.literal(true) });
const containerRecord = z.object({
  day: utcDaySchema,
  account: z.string(),
  intendedOn: utcTime,
  deletedOn: utcTime.optional(),
});

const containerKey = (day: UtcDay, account: string) => `container!${day}!${account}`;

export function openService(
  table: Table,
  touch: Touch,
): Service & { readonly events: ReturnType<typeof openLedger>["events"] } {
  const ledger = openLedger(table, begun, touch);
  return {
    events: ledger.events,
    head: () => ledger.head(partition, partition),
    commit: async (head, { events, container }, on) => {
      const row = container && toEntity(partition, containerKey(container.day, container.account), container);
      const rows = row === undefined ? [] : [["upsert", row, "Replace"] satisfies ["upsert", typeof row, "Replace"]];
      return await ledger.commit(partition, head, { state: { begun: true }, events, rows }, on);
    },
    container: async (day, account) =>
      (await table.read(partition, containerKey(day, account), containerRecord))?.value,
  };
}
