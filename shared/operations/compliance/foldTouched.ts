import { toUtcTime, type UtcTime } from "../../api/primitives.ts";
import { accessOf } from "../../domain/access.ts";
import { fold } from "../../domain/rollup.ts";
import { addDays, type UtcDay, utcDay } from "../../domain/utcDay.ts";
import { all, eachBounded, mapBounded, take } from "../bounded.ts";
import type { AuditWorld, World } from "../needs.ts";
import { transact } from "../transact.ts";

type Needs = Pick<World, "accessIndex" | "clock" | "events" | "log" | "rollups" | "schedule">;

/** Of one partition in one transaction, which takes a hundred rows: a row for each day that the events touch. */
const eventsPerFold = 1000;
const daysPerFold = 90;

/**
 * Folds what changed into the rollups that the retention report sums. Runs on from wherever an earlier run stopped; counts nothing twice.
 * A partition that fails leaves the others to go on, and the rollups as old as the last run that did them all.
 */
export async function foldTouched(world: Needs): Promise<void> {
  const { clock, log, rollups } = world;
  const startedOn = clock.now();
  const partitions = await all(changedSince(world, await rollups.completeAsOf(), startedOn));
  const failures: unknown[] = [];
  // Partitions of one shard write the same rows: one after the other they never wait for each other.
  await eachBounded(Map.groupBy(partitions, rollups.shardOf).values(), 8, async (ofOneShard) => {
    for (const partition of ofOneShard) {
      try {
        await foldPartition(world, partition);
      } catch (error) {
        failures.push(error);
        log.error("fold.failed", error, { partition });
      }
    }
  });
  if (failures.length > 0) throw failures[0];
  const today = utcDay(startedOn);
  const { bytesBegun } = await rollups.countsOf(today);
  await rollups.markComplete(toUtcTime(startedOn), { day: today, bytes: bytesBegun });
}

/** The partitions that the report counts and that may have changed since everything was folded; all there are where it never was. */
export async function* changedSince(
  world: Pick<AuditWorld, "schedule">,
  completeAsOf: UtcTime | undefined,
  now: Date,
): AsyncGenerator<string> {
  yield "service";
  const known = new Set<string>();
  for await (const partition of world.schedule.touchedSince("stamps", firstDay(completeAsOf, now))) {
    if (!known.has(partition)) yield partition;
    known.add(partition);
  }
}

/** A day before the last complete run: a change may have been on its way while its day ended. Never later than yesterday, should the clock have been set back. */
function firstDay(completeAsOf: UtcTime | undefined, now: Date): UtcDay {
  if (completeAsOf === undefined) return utcDay(new Date(0));
  const earlier = Math.min(Date.parse(completeAsOf), now.getTime());
  return addDays(utcDay(new Date(earlier)), -1);
}

async function foldPartition(
  world: Pick<World, "accessIndex" | "events" | "rollups">,
  partition: string,
): Promise<void> {
  const { accessIndex, events, rollups } = world;
  const foldSome = () =>
    transact(
      () => rollups.cursor(partition),
      async (cursor) => {
        const { taken, more } = await take(events.of(partition, cursor.seq), eventsPerFold);
        const { counts, folded } = fold(taken, daysPerFold);
        const last = taken[folded - 1];
        if (last === undefined) return false;
        const accesses = taken.slice(0, folded).map(accessOf);
        await mapBounded(
          accesses.filter((access) => access !== undefined),
          16,
          accessIndex.put,
        );
        await rollups.add(cursor, last.seq, counts);
        return more || folded < taken.length;
      },
    );
  while (await foldSome());
}
