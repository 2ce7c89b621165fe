import type { CheckpointRecord } from "../../domain/checkpoint.ts";
import { eventForm } from "../../domain/event.ts";
import { all } from "../bounded.ts";
import type { Shelf, World } from "../needs.ts";
import { publishedRuns } from "./checkpoints.ts";

type Needs = Pick<World, "checkpoints" | "events" | "leaves" | "records">;

/**
 * Puts every sealed checkpoint, and the events between it and the one before, where nobody can rewrite them. What a run that died left out the
 * next one puts there: the oldest first, so that what is there has no gap, and each under its own name, so that twice is once.
 */
export async function keepRecords(world: Needs): Promise<void> {
  const sealed = await all(world.checkpoints.list());
  const oldestFirst = sealed.map(({ item }) => item);
  await keepMissing(world.records.checkpoints, oldestFirst, checkpointName, async function* ({ checkpoint }) {
    yield checkpoint;
  });
  await keepMissing(world.records.ledger, oldestFirst, ledgerName, ({ seq }) => eventsUpTo(world, seq));
}

const nameOf = (kind: string) => (seq: number) => `${String(seq).padStart(10, "0")}.${kind}`;
export const checkpointName = nameOf("jws");
export const ledgerName = nameOf("ndjson");

async function keepMissing(
  shelf: Shelf | undefined,
  oldestFirst: readonly CheckpointRecord[],
  nameAt: (seq: number) => string,
  linesOf: (record: CheckpointRecord) => AsyncIterable<string>,
): Promise<void> {
  if (shelf === undefined) return;
  const missing: CheckpointRecord[] = [];
  for (const record of oldestFirst.toReversed()) {
    if (await shelf.has(nameAt(record.seq))) break;
    missing.unshift(record);
  }
  for (const record of missing) await shelf.put(nameAt(record.seq), linesOf(record));
}

/** The events that the checkpoint covers and the one before does not, in their RFC 8785 form, by partition and seq. */
async function* eventsUpTo(world: Needs, seq: number): AsyncGenerator<string> {
  // Both come in the order of the tree, and a partition that was in it stays in it.
  const earlier = world.leaves.asOf(await publishedRuns(world, seq - 1))[Symbol.asyncIterator]();
  let before = await earlier.next();
  for await (const leaf of world.leaves.asOf(await publishedRuns(world, seq))) {
    let from = 0;
    if (before.done !== true && before.value.partition === leaf.partition) {
      from = before.value.seq;
      before = await earlier.next();
    }
    if (from === leaf.seq) continue;
    for await (const event of world.events.of(leaf.partition, from)) {
      if (event.seq > leaf.seq) break;
      yield eventForm(event);
    }
  }
}
