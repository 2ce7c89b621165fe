import type { TransactionAction } from "@azure/data-tables";
import * as z from "zod";
import { utcTime } from "../../api/primitives.ts";
import { type CheckpointRecord, checkpointRecord } from "../../domain/checkpoint.ts";
import { eventData } from "../../domain/event.ts";
import { type UtcDay, utcDaySchema } from "../../domain/utcDay.ts";
import type { Checkpoints, ContainerRecord, Mark, Service } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import { type LedgerRows, openLedger, type Touch } from "./ledger.ts";
import type { Table } from "./table.ts";

/**
 * Table `service`, partition `service`: what belongs to no stamp and no case. `container!<day>!<account>` tells how a day's deletion went,
 * `checkpoint!<seq>` what was sealed, `newest` the last of those; `exported!<day>!<subject>` and `forgotten!<subject>` what happens once.
 */

const partition = "service";
const begun = z.object({
  begun: z.literal(true),
  said: z.object({ settings: eventData.optional(), findings: eventData.optional() }).optional(),
});
const containerRecord = z.object({
  day: utcDaySchema,
  account: z.string(),
  intendedOn: utcTime,
  deletedOn: utcTime.optional(),
});

const containerKey = (day: UtcDay, account: string) => `container!${day}!${account}`;
const checkpointPrefix = "checkpoint!";
const checkpointKey = (seq: number) => `${checkpointPrefix}${String(seq).padStart(10, "0")}`;
const newestKey = "newest";
const markKey = (mark: Mark) =>
  mark.kind === "exported" ? `exported!${mark.day}!${mark.subject}` : `forgotten!${mark.subject}`;
const anything = z.unknown();

export function openService(
  table: Table,
  touch: Touch,
): { readonly service: Service; readonly checkpoints: Checkpoints; readonly rows: LedgerRows } {
  const ledger = openLedger(table, begun, touch);
  return {
    rows: ledger,
    service: {
      head: () => ledger.head(partition, partition),
      commit: (head, { events, container, checkpoint, mark, said }, on) => {
        const rows = [
          ...(container === undefined ? [] : [containerRow(container)]),
          ...(checkpoint === undefined ? [] : checkpointRows(checkpoint)),
          ...(mark === undefined ? [] : [markRow(mark)]),
        ];
        const state = { begun: true, said: { ...head.state?.said, ...said } } as const;
        return ledger.commit(partition, head, { state, events, rows }, on);
      },
      container: async (day, account) =>
        (await table.read(partition, containerKey(day, account), containerRecord))?.value,
      isMarked: async (mark) => (await table.read(partition, markKey(mark), anything)) !== undefined,
    },
    checkpoints: {
      newest: async () => (await table.read(partition, newestKey, checkpointRecord))?.value,
      list: (after) => table.scan({ partition, prefix: checkpointPrefix, after }, checkpointRecord),
    },
  };
}

const containerRow = (container: ContainerRecord): TransactionAction => [
  "upsert",
  toEntity(partition, containerKey(container.day, container.account), container),
  "Replace",
];

/** Refused where it is there: of two at once one is told of. */
const markRow = (mark: Mark): TransactionAction => ["create", toEntity(partition, markKey(mark), mark)];

const checkpointRows = (checkpoint: CheckpointRecord): TransactionAction[] => [
  ["create", toEntity(partition, checkpointKey(checkpoint.seq), checkpoint)],
  ["upsert", toEntity(partition, newestKey, checkpoint), "Replace"],
];
