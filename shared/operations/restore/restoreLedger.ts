import * as z from "zod";
import { guid, utcTime } from "../../api/primitives.ts";
import type { CheckpointRecord } from "../../domain/checkpoint.ts";
import { type ChainedEvent, chainedEvent, type NewEvent, theService } from "../../domain/event.ts";
import { eachBounded } from "../bounded.ts";
import { publishedRuns } from "../compliance/checkpoints.ts";
import { checkpointName, ledgerName } from "../compliance/keepRecords.ts";
import { treeOf } from "../compliance/sealCheckpoint.ts";
import type { Shelf, World } from "../needs.ts";
import { deleteOverdue, holdDays } from "./heldDays.ts";
import { NotTheLedger, replay } from "./replay.ts";

type Needs = Pick<
  World,
  | "cases"
  | "checkpoints"
  | "clock"
  | "contents"
  | "days"
  | "directory"
  | "landing"
  | "leaves"
  | "records"
  | "rules"
  | "schedule"
  | "service"
  | "stamps"
  | "storehouse"
> & {
  /** What a paper of that type claims, its signature verified. Throws where it is not one of the service's own. */
  readonly opened: (typ: "checkpoint+jwt", jws: string) => Promise<unknown>;
};

export type Restored = {
  readonly checkpoint: number;
  readonly events: number;
  readonly partitions: number;
  /** A run died between keeping the next checkpoint and keeping its events: these records cannot be gone on with. */
  readonly recordsAreTorn: boolean;
};

/**
 * Rebuilds the rows, the work index and the ledger from the records: all up to the last checkpoint that was kept, and nothing after it. Run it on
 * empty tables while nothing else writes; one that died is run again. Throws `NotTheLedger` where the records do not add up to what was sealed.
 */
export async function restoreLedger(world: Needs): Promise<Restored> {
  const { checkpoints, ledger } = shelves(world);
  await deleteOverdue(world);
  const recordOf = async (seq: number) => {
    const record = await readCheckpoint(world, checkpoints, seq);
    if (record === undefined) throw new NotTheLedger(`Checkpoint ${seq} is not in the records`);
    return record;
  };
  let last: Sealed | undefined;
  let recordsAreTorn = false;
  for (let seq = 1; ; seq += 1) {
    const sealed = await readCheckpoint(world, checkpoints, seq);
    if (sealed === undefined || !(await ledger.has(ledgerName(seq)))) {
      recordsAreTorn = sealed !== undefined;
      break;
    }
    await replayUpTo(world, ledger, sealed.record, async (other) => (await recordOf(other)).record);
    last = sealed;
  }
  if (last === undefined) throw new NotTheLedger("There is no checkpoint in the records");
  const partitions = await requireSealed(world, last);
  await holdDays(world);
  await writeRestored(world, last.record);
  return { checkpoint: last.record.seq, events: last.tree.events, partitions, recordsAreTorn };
}

function shelves({ records: { checkpoints, ledger } }: Needs): { readonly checkpoints: Shelf; readonly ledger: Shelf } {
  if (checkpoints !== undefined && ledger !== undefined) return { checkpoints, ledger };
  throw new NotTheLedger("CHECKPOINT_CONTAINER_URL and LEDGER_EXPORT_CONTAINER_URL: name the records to restore from");
}

const claims = z.object({
  jti: guid,
  seq: z.int(),
  sealedOn: utcTime,
  treeSize: z.int(),
  rootHash: z.string(),
  events: z.int(),
});
type Sealed = {
  readonly record: CheckpointRecord;
  readonly tree: { readonly treeSize: number; readonly rootHash: string; readonly events: number };
};

/** Undefined where none of that seq was kept. */
async function readCheckpoint(world: Needs, shelf: Shelf, seq: number): Promise<Sealed | undefined> {
  for await (const checkpoint of shelf.lines(checkpointName(seq))) {
    const { jti, sealedOn, seq: said, ...tree } = claims.parse(await world.opened("checkpoint+jwt", checkpoint));
    if (said !== seq) throw new NotTheLedger(`The record of checkpoint ${seq} holds checkpoint ${said}`);
    return { record: { seq, sealedOn, checkpoint, run: jti }, tree };
  }
  return undefined;
}

/** The events between the checkpoint and the one before, partition by partition, and what the checkpoint saw of each. */
async function replayUpTo(
  world: Needs,
  ledger: Shelf,
  { seq, run }: CheckpointRecord,
  checkpointOf: Parameters<typeof replay>[3],
): Promise<void> {
  await eachBounded(byPartition(ledger.lines(ledgerName(seq))), 16, async (events) => {
    const last = events.at(-1);
    if (last === undefined) return;
    await replay(world, last.partition, events, checkpointOf);
    await world.leaves.put({ seq, run }, { partition: last.partition, seq: last.seq, hash: last.hash });
  });
}

/** A record is in the order of the tree: a partition's events stand together. */
async function* byPartition(lines: AsyncIterable<string>): AsyncGenerator<readonly ChainedEvent[]> {
  let events: ChainedEvent[] = [];
  for await (const line of lines) {
    const event = chainedEvent.parse(JSON.parse(line));
    if (events[0] !== undefined && events[0].partition !== event.partition) {
      yield events;
      events = [];
    }
    events.push(event);
  }
  if (events.length > 0) yield events;
}

/** What was restored is what was sealed: the tree has the root that the checkpoint signed. Gives how many partitions there are. */
async function requireSealed(world: Needs, { record, tree }: Sealed): Promise<number> {
  const runs = (await publishedRuns(world, record.seq - 1)).set(record.seq, record.run);
  const { treeSize, rootHash, events } = await treeOf(world, runs);
  if (rootHash === tree.rootHash && treeSize === tree.treeSize && events === tree.events) return treeSize;
  throw new NotTheLedger(`The records do not add up to checkpoint ${record.seq}: ${events} events, not ${tree.events}`);
}

/** The last checkpoint's own event came after it, and was lost: this one says why, and the next checkpoint follows on. */
async function writeRestored({ checkpoints, clock, service }: Needs, record: CheckpointRecord): Promise<void> {
  const newest = await checkpoints.newest();
  if (newest !== undefined && newest.seq >= record.seq) return;
  const event: NewEvent = { type: "ledger.restored", actor: theService, data: { seq: record.seq } };
  await service.commit(await service.head(), { events: [event], checkpoint: record }, clock.now());
}
