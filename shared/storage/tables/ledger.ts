import { randomUUID } from "node:crypto";
import type { TransactionAction } from "@azure/data-tables";
import * as z from "zod";
import { toUtcTime } from "../../api/primitives.ts";
import { chain, chainedEvent, chainStart, type NewEvent } from "../../domain/event.ts";
import { utcDay } from "../../domain/utcDay.ts";
import { type Events, type Head, HeadMoved } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import type { Table } from "./table.ts";

/**
 * Partitions whose head is the lock: a change of state, its events and the head commit in one transaction, under the head's ETag
 * (invariant 1).
 */

/** An entity-group transaction takes 100 entities. */
const entitiesPerTransaction = 100;

const headKey = "head";
const eventPrefix = "event!";
const eventKey = (seq: number) => `${eventPrefix}${String(seq).padStart(12, "0")}`;

/** Stands beside the event in its row: which attempt to commit wrote it. */
const attempt = z.object({ commitId: z.guid() });

/** Written before a partition's first change of a day, so that the tailer finds what changed. */
export type Touch = (partition: string, day: string) => Promise<void>;

/** What reads a table's chains by the table's own partition keys. */
export type LedgerRows = {
  readonly head: (key: string, partition: string) => Promise<Head<unknown>>;
  readonly events: (key: string, afterSeq: number) => ReturnType<Events["of"]>;
};

/** A head's `partition` is its name in events, such as `stamps/{stampId}`; `key` is the table's own partition key. */
export function openLedger<State>(table: Table, stateSchema: z.ZodType<State>, touch: Touch) {
  const headSchema = z.object({
    position: z.object({ seq: z.int(), hash: z.string() }),
    touchedDay: z.string(),
    state: stateSchema,
  });

  async function head(key: string, partition: string): Promise<Head<State>> {
    const row = await table.read(key, headKey, headSchema);
    if (row === undefined)
      return { partition, position: chainStart, state: undefined, touchedDay: undefined, etag: undefined };
    return { partition, ...row.value, etag: row.etag };
  }

  async function commit(
    key: string,
    from: Head<State>,
    change: { state: State; events: readonly NewEvent[]; rows: TransactionAction[] },
    on: Date,
  ): Promise<Head<State>> {
    const day = utcDay(on);
    if (from.touchedDay !== day) await touch(from.partition, day);
    const events = chain(from.partition, from.position, toUtcTime(on), change.events);
    const last = events.at(-1) ?? from.position;
    const next = { position: { seq: last.seq, hash: last.hash }, touchedDay: day, state: change.state };
    const headEntity = toEntity(key, headKey, next);
    const commitId = randomUUID();
    const actions: TransactionAction[] = [
      from.etag === undefined ? ["create", headEntity] : ["update", headEntity, "Replace", { etag: from.etag }],
      ...events.map(
        (event): TransactionAction => ["create", toEntity(key, eventKey(event.seq), { ...event, commitId })],
      ),
      ...change.rows,
    ];
    if (actions.length > entitiesPerTransaction) throw new RangeError(`A transaction of ${actions.length} entities`);
    try {
      const [etag] = await table.transact(actions);
      return { partition: from.partition, ...next, etag };
    } catch (error) {
      if (!(error instanceof HeadMoved) || !(await isWritten(key, last.seq, commitId))) throw error;
      return await head(key, from.partition);
    }
  }

  /** A commit whose answer was lost is refused when the client sends it again: then the event that stands there is its own. */
  async function isWritten(key: string, seq: number, commitId: string): Promise<boolean> {
    const standing = await table.read(key, eventKey(seq), attempt);
    return standing?.value.commitId === commitId;
  }

  async function* events(key: string, afterSeq: number): ReturnType<Events["of"]> {
    const range = { partition: key, prefix: eventPrefix, after: eventKey(afterSeq), pageSize: 1000 };
    for await (const { item } of table.scan(range, chainedEvent)) yield item;
  }

  return { head, commit, events };
}

/** Where the chain would stand after these events. */
export function foresee(from: Head<unknown>, events: readonly NewEvent[], on: Date) {
  const last = chain(from.partition, from.position, toUtcTime(on), events).at(-1) ?? from.position;
  return { seq: last.seq, hash: last.hash };
}
