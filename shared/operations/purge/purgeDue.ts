import { dayContainerName } from "../../domain/containers.ts";
import { purgeReasons } from "../../domain/purge.ts";
import { isLentDayOver } from "../../domain/retention.ts";
import { eachInTurn, eachIsolated } from "../bounded.ts";
import { purgeEarly } from "../bundles/purgeEarly.ts";
import { applyClosingRule } from "../cases/closingRule.ts";
import { type EarlyPurge, isAccountMissing, type World } from "../needs.ts";
import { purgeDay } from "./purgeDay.ts";

/** Hours after which an erasure row without an erasure is old news rather than one that is just being asked for. */
const staleMs = 3_600_000;

/**
 * Deletes what is due: erasures whose time has come, then every day container whose day is over, then what was lent on days that are over. What
 * fails keeps nothing else from being deleted, is alerted, and fails the run at its end.
 */
export async function purgeDue(world: World): Promise<void> {
  const now = world.clock.now();
  const { accounts } = world.storehouse;
  const go = (work: () => Promise<void>, facts: Record<string, unknown>) => orAlert(world, work, facts);
  await eachInTurn(
    () => go(() => applyClosingRule(world), { setting: "PURGE_AFTER_CASE_CLOSE_DAYS" }),
    () =>
      eachIsolated(world.schedule.earlyDue(now), 8, (wish) =>
        go(() => carryOut(world, wish, now), { stampId: wish.stampId, bundleId: wish.bundleId }),
      ),
    () =>
      eachIsolated(world.schedule.heldDays(), 1, async (held) => {
        if (Date.parse(held.purgeOn) > now.getTime()) return;
        await go(() => purgeDay(world, held), { container: dayContainerName(held.day), account: held.account });
      }),
    () =>
      eachIsolated(accounts, 1, (account) =>
        go(() => dropLentDays(world, account, now), { containers: "lent", account }),
      ),
  );
}

async function orAlert(
  { log }: Pick<World, "log">,
  work: () => Promise<void>,
  facts: Record<string, unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isAccountMissing(error)) return log.alert("purge.accountNotConfigured", facts);
    log.alert("purge.failed", facts);
    log.error("purge.failed", error, facts);
    throw error;
  }
}

/** Deletes one bundle before its day, or forgets a wish that its row does not hold any more. */
async function carryOut(world: World, wish: EarlyPurge, now: Date): Promise<void> {
  const settled = (await purgeEarly(world, wish.stampId, wish.bundleId)) !== undefined;
  const isOld = Date.parse(wish.dueOn) + staleMs < now.getTime();
  if (settled || (isOld && !(await stands(world, wish)))) await world.schedule.forgetEarly(wish);
}

async function stands({ stamps }: Pick<World, "stamps">, wish: EarlyPurge): Promise<boolean> {
  const bundle = await stamps.bundle(wish.stampId, wish.bundleId);
  const reasons = bundle === undefined ? [] : purgeReasons(bundle);
  return reasons.some(({ basis, on }) => basis === wish.basis && on === wish.dueOn);
}

/** Drops what was lent in parts on days that are over; a URL that was issued last may live a quarter of an hour into the next. */
async function dropLentDays({ contents }: World, account: string, now: Date): Promise<void> {
  const over = (await contents.lentDays(account)).filter((day) => isLentDayOver(day, now));
  await eachIsolated(over, 1, (day) => contents.deleteLentDay(account, day));
}
