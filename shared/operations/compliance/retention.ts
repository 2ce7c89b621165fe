import type { Retention } from "../../api/compliance.ts";
import { toUtcTime } from "../../api/primitives.ts";
import { dayMs, dayPurgeOn, instant } from "../../domain/retention.ts";
import { type DayCounts, inTotal, plus } from "../../domain/rollup.ts";
import { startOfDay, type UtcDay } from "../../domain/utcDay.ts";
import { earlyOverdue, heldTooLong, purgeSilent } from "../../domain/violations.ts";
import { all, take } from "../bounded.ts";
import type { AuditWorld, HeldDay } from "../needs.ts";
import { countBundles } from "./countBundles.ts";
import { settingsInForce } from "./settingsInForce.ts";

type Needs = Pick<AuditWorld, "clock" | "events" | "rollups" | "rules" | "runs" | "schedule">;

/**
 * What is held, since when, and what was promised of it and not kept. Sums the rollups and asks the work index what is there; never looks at a
 * bundle, so that its cost follows the days and shards. Writes nothing.
 */
export async function getRetention(world: Needs): Promise<Retention> {
  const now = world.clock.now();
  const held = await all(world.schedule.heldDays());
  const [{ byDay, freshAsOf }, oldestByte, violations] = await Promise.all([
    countBundles(world, now),
    findOldestByte(world, held, now),
    findViolations(world, held, now),
  ]);
  const reconciled = await world.runs.findings();
  const total = inTotal(byDay);
  return {
    asOf: toUtcTime(now),
    freshAsOf,
    settings: settingsInForce(world.rules),
    bundlesByState: total.byState,
    bytesHeld: total.bytesHeld,
    ...(oldestByte === undefined ? {} : { oldestByte }),
    daysHeld: new Set(held.map(({ day }) => day)).size,
    days: dayRows(world.rules, byDay, held),
    violations: [...violations, ...notTwice(reconciled?.violations ?? [], violations)],
    ...(reconciled === undefined ? {} : { reconciledOn: reconciled.asOf }),
    consentCoverage: { bundles: total.created, covered: total.covered },
    accesses: { byPurpose: total.accessesBy, outsideSupportCase: total.accessesOutsideSupport },
  };
}

/** The first day that still holds a bundle's copy has the oldest; the index orders each day by the time of creation. */
async function findOldestByte(
  { schedule }: Pick<AuditWorld, "schedule">,
  held: readonly HeldDay[],
  now: Date,
): Promise<Retention["oldestByte"]> {
  for (const day of new Set(held.map((each) => each.day))) {
    const oldest = await schedule.oldestExpiring(day);
    if (oldest === undefined) continue;
    const { createdOn, stampId, bundleId } = oldest;
    const ageDays = Math.floor(((now.getTime() - instant(createdOn)) / dayMs) * 100) / 100;
    return { createdOn, ageDays, stampId, bundleId };
  }
  return undefined;
}

/** Overdue deletions of single bundles that one report names, at the most: a report is read by a person. */
const mostBundles = 100;

export async function findViolations(
  { runs, schedule }: Pick<AuditWorld, "runs" | "schedule">,
  held: readonly HeldDay[],
  now: Date,
): Promise<Retention["violations"]> {
  const { taken: bundles } = await take(schedule.earlyDue(now), mostBundles);
  return [
    ...held.flatMap((each) => heldTooLong(each, now)),
    ...bundles.flatMap((each) => earlyOverdue(each, now)),
    ...purgeSilent(await runs.lastSuccess("purgeDue"), held, now),
  ].sort((a, b) => instant(a.since) - instant(b.since));
}

/** What the reconciler saw last and the report does not see by itself. */
const notTwice = (found: Retention["violations"], seen: Retention["violations"]): Retention["violations"] =>
  found.filter(
    ({ code, container, bundleId }) =>
      !seen.some((each) => each.code === code && each.container === container && each.bundleId === bundleId),
  );

/** Every day that had a bundle, oldest first. A day is purged when no account holds it any more. */
function dayRows(
  rules: AuditWorld["rules"],
  byDay: ReadonlyMap<UtcDay, DayCounts>,
  held: readonly HeldDay[],
): Retention["days"] {
  const purgeOn = new Map(held.map((each) => [each.day, each.purgeOn]));
  const days = [...new Set([...byDay.keys(), ...purgeOn.keys()])];
  return days
    .sort((a, b) => startOfDay(a).getTime() - startOfDay(b).getTime())
    .map((day) => {
      const { created, bytesHeld, byState, purgedBy, containerPurgedOn } = plus(byDay.get(day), undefined);
      const isPurged = containerPurgedOn !== undefined && !purgeOn.has(day);
      return {
        day,
        created,
        bytes: bytesHeld,
        byState,
        purgeOn: purgeOn.get(day) ?? dayPurgeOn(day, rules.purgeAfterDays),
        ...(isPurged ? { purgedOn: containerPurgedOn } : {}),
        purgedBy,
      };
    });
}
