import { boxOfContainer, dayOfContainer, lentDayOfContainer, uploadDayOfContainer } from "../../domain/containers.ts";
import { dayPurgeOn, isLentDayOver } from "../../domain/retention.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import { all, eachIsolated } from "../bounded.ts";
import type { HeldDay, World } from "../needs.ts";

/** What a restore does with the containers that outlived the tables. */

type Needs = Pick<
  World,
  "clock" | "contents" | "days" | "landing" | "rules" | "schedule" | "service" | "stamps" | "storehouse"
>;

/**
 * Deletes every container whose day is over. It runs before the replay, which may take hours or fail: no row is needed to know that a day is over
 * (invariant 3). The rows say so afterwards, when `purgeDue` finds the day held.
 */
export async function deleteOverdue(world: Needs): Promise<void> {
  await eachIsolated(world.storehouse.accounts, 1, async (account) => {
    const names = await all(world.storehouse.containers(account));
    await eachIsolated(names, 4, (name) => deleteIfOver(world, account, name));
  });
}

async function deleteIfOver(world: Needs, account: string, name: string): Promise<void> {
  const { clock, contents, days, landing, rules } = world;
  const now = clock.now();
  const isOver = (day: UtcDay) => Date.parse(dayPurgeOn(day, rules.purgeAfterDays)) <= now.getTime();
  const lentOn = lentDayOfContainer(name);
  if (lentOn !== undefined && isLentDayOver(lentOn, now)) await contents.deleteLentDay(account, lentOn);
  const day = dayOfContainer(name);
  if (day !== undefined && isOver(day)) await days.deleteDay(account, day);
  const writtenOn = uploadDayOfContainer(name) ?? boxOfContainer(name)?.day;
  if (writtenOn !== undefined && isOver(writtenOn)) await landing.delete(account, name);
}

/**
 * Brings the index of held days up to what the accounts hold: a container that no row knows gets a deadline, and a day that was purged before is
 * held no more. Each day keeps the one date that its bundles were given.
 */
export async function holdDays(world: Needs): Promise<void> {
  const { rules, schedule, storehouse } = world;
  for (const held of await all(schedule.heldDays())) {
    await schedule.fixPurgeOn(held.day, held.purgeOn);
    if (await isPurged(world, held)) await schedule.releaseDay(held);
  }
  for (const account of storehouse.accounts) {
    for await (const name of storehouse.containers(account)) {
      const day = dayOfContainer(name);
      if (day === undefined) continue;
      const purgeOn = await schedule.fixPurgeOn(day, dayPurgeOn(day, rules.purgeAfterDays));
      await schedule.holdDay({ day, account, purgeOn });
    }
  }
}

/** Its container is gone by the ledger's word, and no row of a bundle waits to say so. */
async function isPurged({ schedule, service, stamps }: Needs, held: HeldDay): Promise<boolean> {
  if ((await service.container(held.day, held.account))?.deletedOn === undefined) return false;
  for await (const { stampId, bundleId } of schedule.expiring(held.day)) {
    if ((await stamps.bundle(stampId, bundleId))?.account === held.account) return false;
  }
  return true;
}
