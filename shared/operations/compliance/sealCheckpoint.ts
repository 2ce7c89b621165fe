import { randomUUID } from "node:crypto";
import { toUtcTime } from "../../api/primitives.ts";
import { type CheckpointRecord, checkpointHash, leafForm } from "../../domain/checkpoint.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { merkleTree } from "../../domain/merkle.ts";
import { addDays, utcDay } from "../../domain/utcDay.ts";
import { eachBounded } from "../bounded.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { publishedRuns } from "./checkpoints.ts";

type Needs = Pick<World, "checkpoints" | "clock" | "events" | "leaves" | "papers" | "rules" | "schedule" | "service">;

/**
 * Seals a checkpoint over every partition's head: reads again the heads of what changed since the last one, carries the other leaves over, signs
 * the tree. A run that dies leaves leaves that no checkpoint counts; of two runs at once one seals.
 */
export async function sealCheckpoint(world: Needs): Promise<void> {
  const last = await world.checkpoints.newest();
  const seal = { seq: (last?.seq ?? 0) + 1, run: randomUUID() };
  await readChanged(world, last, seal);
  const tree = await sumUp(world, seal);
  const sealedOn = toUtcTime(world.clock.now());
  const claims = { ...tree, seq: seal.seq, prevHash: checkpointHash(last) };
  const checkpoint = await world.papers.sign("checkpoint+jwt", {
    iss: world.rules.publicOrigin,
    iat: Math.floor(world.clock.real().getTime() / 1000),
    jti: seal.run,
    sealedOn,
    ...claims,
  });
  await publish(world, last, { ...seal, sealedOn, checkpoint }, tree);
}

type Seal = { readonly seq: number; readonly run: string };

/** From the day before the last one: a change may have been on its way while that was sealed. */
async function readChanged(world: Needs, last: CheckpointRecord | undefined, seal: Seal): Promise<void> {
  const since =
    last === undefined ? new Date(0) : new Date(Math.min(Date.parse(last.sealedOn), world.clock.now().getTime()));
  await eachBounded(changed(world, since), 16, async (partition) => {
    const position = await world.events.position(partition);
    if (position !== undefined && position.seq > 0) await world.leaves.put(seal, { partition, ...position });
  });
}

async function* changed({ schedule }: Pick<World, "schedule">, since: Date): AsyncGenerator<string> {
  yield "service";
  const day = addDays(utcDay(since), -1);
  yield* schedule.touchedSince("cases", day);
  yield* schedule.touchedSince("stamps", day);
}

async function sumUp(world: Needs, seal: Seal): Promise<Tree> {
  return await treeOf(world, (await publishedRuns(world, seal.seq - 1)).set(seal.seq, seal.run));
}

export type Tree = { readonly treeSize: number; readonly rootHash: string; readonly events: number };

/** The tree over the leaves that those runs sealed. */
export async function treeOf({ leaves }: Pick<World, "leaves">, runs: ReadonlyMap<number, string>): Promise<Tree> {
  const tree = merkleTree();
  let events = 0;
  for await (const leaf of leaves.asOf(runs)) {
    tree.add(leafForm(leaf));
    events += leaf.seq;
  }
  return { treeSize: tree.size(), rootHash: tree.root().toString("hex"), events };
}

async function publish(
  world: Needs,
  last: CheckpointRecord | undefined,
  record: CheckpointRecord,
  tree: Tree,
): Promise<void> {
  const { checkpoints, clock, service } = world;
  await transact(service.head, async (head) => {
    const newest = await checkpoints.newest();
    if (newest?.seq !== last?.seq) return;
    const event: NewEvent = { type: "checkpoint.sealed", actor: theService, data: { seq: record.seq, ...tree } };
    await service.commit(head, { events: [event], checkpoint: record }, clock.now());
  });
}
