import type { TransactionAction } from "@azure/data-tables";
import * as z from "zod";
import { utcTime } from "../../api/primitives.ts";
import { type CountsByDay, type DayCounts, dayCounts, noCounts, plus } from "../../domain/rollup.ts";
import { type UtcDay, utcDaySchema } from "../../domain/utcDay.ts";
import type { Rollups } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import { shardOf, shards } from "./keys.ts";
import type { Table } from "./table.ts";

/**
 * Table `rollups`, one partition a shard: `day!<day>` what its ledger partitions add to that day, `cursor!<ledger partition>` how far each is
 * counted. Both move in one transaction, each row under the ETag that it was read with, so that no event is counted twice and none is lost.
 * Partition `run` holds when everything was folded last.
 */

const cursorRow = z.object({ seq: z.int() });
const dayRow = z.object({ day: utcDaySchema, counts: dayCounts });
const completeRow = z.object({ asOf: utcTime, announced: z.object({ day: utcDaySchema, bytes: z.int() }).optional() });

const cursorKey = (partition: string) => `cursor!${partition.replace("/", "!")}`;
const dayKey = (day: UtcDay) => `day!${day}`;
const complete = { partition: "run", key: "complete" } as const;

export function openRollups(table: Table): Rollups {
  async function ofShard(shard: string): Promise<CountsByDay> {
    const byDay = new Map<UtcDay, DayCounts>();
    for await (const { item } of table.scan({ partition: shard, prefix: "day!", pageSize: 1000 }, dayRow)) {
      byDay.set(item.day, item.counts);
    }
    return byDay;
  }

  const lastComplete = async () => (await table.read(complete.partition, complete.key, completeRow))?.value;

  async function addToDay(shard: string, day: UtcDay, counts: DayCounts): Promise<TransactionAction> {
    const standing = await table.read(shard, dayKey(day), dayRow);
    const entity = toEntity(shard, dayKey(day), { day, counts: plus(standing?.value.counts, counts) });
    return writeUnder(standing?.etag, entity);
  }

  return {
    shardOf,
    cursor: async (partition) => {
      const row = await table.read(shardOf(partition), cursorKey(partition), cursorRow);
      return { partition, seq: row?.value.seq ?? 0, etag: row?.etag };
    },
    add: async ({ partition, etag }, through, counts) => {
      const shard = shardOf(partition);
      const days = await Promise.all([...counts].map(([day, added]) => addToDay(shard, day, added)));
      await table.transact([writeUnder(etag, toEntity(shard, cursorKey(partition), { seq: through })), ...days]);
    },
    counts: () => Promise.all(shards.map(ofShard)),
    countsOf: async (day) => {
      const rows = await Promise.all(shards.map((shard) => table.read(shard, dayKey(day), dayRow)));
      return rows.reduce((total, row) => plus(total, row?.value.counts), noCounts);
    },
    completeAsOf: async () => (await lastComplete())?.asOf,
    complete: lastComplete,
    markComplete: async (asOf, announced) =>
      void (await table.put(toEntity(complete.partition, complete.key, { asOf, announced }))),
  };
}

/** A row that was not there must not be there yet. */
const writeUnder = (etag: string | undefined, entity: ReturnType<typeof toEntity>): TransactionAction =>
  etag === undefined ? ["create", entity] : ["update", entity, "Replace", { etag }];
