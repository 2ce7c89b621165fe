import { toUtcTime, type UtcTime } from "../../api/primitives.ts";
import type { ChainedEvent } from "../../domain/event.ts";
import { type CountsByDay, fold, plusByDay } from "../../domain/rollup.ts";
import { mapBounded, take } from "../bounded.ts";
import { type AuditWorld, type FoldCursor, HeadMoved } from "../needs.ts";
import { transact } from "../transact.ts";
import { changedSince } from "./foldTouched.ts";

type Needs = Pick<AuditWorld, "clock" | "events" | "rollups" | "schedule">;

export type Counted = {
  readonly byDay: CountsByDay;
  /** Nothing that was in the ledger by then is missing. */
  readonly freshAsOf: UtcTime;
};

/** Partitions whose events since the last fold are counted in memory, and events of each, at the most. */
const mostPartitions = 50;
const mostEvents = 1000;

const neverFolded = toUtcTime(new Date(0));

/**
 * The rollups, and on top of them what has happened since they were folded: where that is little, the counts are those of this moment. Where it
 * is much they are those of the last complete fold.
 */
export async function countBundles(world: Needs, now: Date): Promise<Counted> {
  const { rollups } = world;
  const completeAsOf = await rollups.completeAsOf();
  const { taken: changed, more } = await take(changedSince(world, completeAsOf, now), mostPartitions);
  const cursorsOf = () => mapBounded(changed, 16, rollups.cursor);
  return await transact(cursorsOf, async (cursors) => {
    const folded = await rollups.counts();
    const tails = more ? undefined : await readTails(world, cursors);
    if (tails === undefined) return { byDay: plusByDay(folded), freshAsOf: completeAsOf ?? neverFolded };
    requireSamePlaces(cursors, await cursorsOf());
    return { byDay: plusByDay([...folded, ...tails.map((tail) => fold(tail).counts)]), freshAsOf: toUtcTime(now) };
  });
}

/** What has happened since the last fold, where that is little; nothing where it is more than can be read now. */
export async function readNotYetFolded(world: Needs, now: Date): Promise<readonly ChainedEvent[][]> {
  const { rollups } = world;
  const { taken: changed, more } = await take(changedSince(world, await rollups.completeAsOf(), now), mostPartitions);
  return more ? [] : ((await readTails(world, await mapBounded(changed, 16, rollups.cursor))) ?? []);
}

/** What stands after each cursor; undefined where one of them is too long to read now. */
async function readTails(
  { events }: Pick<AuditWorld, "events">,
  cursors: readonly FoldCursor[],
): Promise<readonly ChainedEvent[][] | undefined> {
  const tails = await mapBounded(cursors, 16, ({ partition, seq }) => take(events.of(partition, seq), mostEvents));
  return tails.some((tail) => tail.more) ? undefined : tails.map((tail) => tail.taken);
}

/** A fold that came between the two readings could be counted twice, or not at all. */
function requireSamePlaces(before: readonly FoldCursor[], after: readonly FoldCursor[]): void {
  const moved = before.some(({ seq }, index) => after[index]?.seq !== seq);
  if (moved) throw new HeadMoved("rollups");
}
