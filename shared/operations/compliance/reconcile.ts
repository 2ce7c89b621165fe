import { toUtcTime } from "../../api/primitives.ts";
import {
  boxOfContainer,
  dayContainerName,
  dayOfContainer,
  landingPrefix,
  lentDayOfContainer,
} from "../../domain/containers.ts";
import { dayPurgeOn, isLentDayLate, lastCopyDay } from "../../domain/retention.ts";
import type { Violation } from "../../domain/violations.ts";
import { all } from "../bounded.ts";
import type { HeldDay, World } from "../needs.ts";
import { findFaults } from "./checkAccounts.ts";
import { compareDay } from "./compareDay.ts";
import { recordStanding } from "./recordStanding.ts";
import { findViolations } from "./retention.ts";

type Needs = Pick<World, "clock" | "log" | "rules" | "runs" | "schedule" | "service" | "stamps" | "storehouse">;

/** What one run keeps, at the most: the first of them are reason enough to look. */
const mostFindings = 200;

/**
 * Lists what is really in the accounts and compares it with what the tables say, both ways; looks whether an account keeps deleted data; says all
 * of it aloud. What the two disagree on for a moment, because a bundle is on its way, is looked at twice.
 */
export async function reconcile(world: Needs): Promise<void> {
  const { clock, log, runs, schedule, storehouse } = world;
  const now = clock.now();
  const held = await all(schedule.heldDays());
  const found: Violation[] = [...(await findViolations(world, held, now))];
  for (const account of storehouse.accounts) {
    found.push(...(await findFaults(world, account, now)), ...(await compareAccount(world, account, held, now)));
  }
  found.push(...notConfigured(storehouse, held, now));
  const violations = found.slice(0, mostFindings);
  for (const { code, since, container, stampId, bundleId } of violations) {
    log.alert("retention.violation", { code, since, container, stampId, bundleId });
  }
  await runs.keepFindings({ asOf: toUtcTime(now), violations });
  await recordStanding(world, violations);
}

/** An account that does not answer is a finding of its own, and the others are compared all the same. */
async function compareAccount(
  world: Needs,
  account: string,
  held: readonly HeldDay[],
  now: Date,
): Promise<Violation[]> {
  const days = held.filter((each) => each.account === account);
  try {
    const found = [...(await strayContainers(world, account, held, now)), ...(await overdueBoxes(world, account, now))];
    for (const each of days) found.push(...(await compareOneDay(world, each, now)));
    if (days.length === 0) await sayWhereDrained(world, account);
    return found;
  } catch (error) {
    world.log.error("reconcile.accountUnreadable", error, { account });
    const message = `What account ${account} holds could not be compared with the rows: find out why it does not answer.`;
    return [{ code: "AccountUnreadable", message, since: toUtcTime(now) }];
  }
}

/** A day that cannot be compared is a finding of its own, and the other days are compared all the same. */
async function compareOneDay(world: Needs, held: HeldDay, now: Date): Promise<Violation[]> {
  const container = dayContainerName(held.day);
  try {
    return await compareDay(world, held, now);
  } catch (error) {
    world.log.error("reconcile.dayUnreadable", error, { account: held.account, container });
    const message = `What ${container} on account ${held.account} holds could not be compared with the rows: find out why.`;
    return [{ code: "DayUnreadable", message, since: toUtcTime(now), container }];
  }
}

/** Tells the operator that a drained account may be taken out of the settings: not one container is left. */
async function sayWhereDrained({ log, storehouse }: Needs, account: string): Promise<void> {
  if (!storehouse.draining.includes(account)) return;
  if ((await all(storehouse.containers(account))).length === 0) log.info("account.drained", { account });
}

/** Days on accounts that the settings do not name any more: nobody can purge them. */
const notConfigured = ({ accounts }: Needs["storehouse"], held: readonly HeldDay[], now: Date): Violation[] =>
  held
    .filter(({ account }) => !accounts.includes(account))
    .map(({ account, day }) => ({
      code: "AccountNotConfigured",
      message: `Account ${account} holds bundles and BUNDLE_ACCOUNTS does not name it: put its entry back, as draining.`,
      since: toUtcTime(now),
      container: dayContainerName(day),
    }));

/** Containers that no row of the work index stands for: an upload that ended and is still writable, a day that nobody will purge. */
async function strayContainers(
  world: Needs,
  account: string,
  held: readonly HeldDay[],
  now: Date,
): Promise<Violation[]> {
  const suspects = await unaccounted(world, account, held);
  if (suspects.length === 0) return [];
  const still = new Set(await unaccounted(world, account, await all(world.schedule.heldDays())));
  return suspects
    .filter((name) => still.has(name))
    .map((container) => ({
      code: strayCode(container),
      message: `Account ${account} has ${container}, which no row stands for: delete it after finding out why.`,
      since: toUtcTime(now),
      container,
    }));
}

function strayCode(container: string): string {
  if (container.startsWith(landingPrefix)) return "LandingWithoutUpload";
  if (lentDayOfContainer(container) !== undefined) return "LentTooLong";
  return boxOfContainer(container) === undefined ? "ContainerWithoutRow" : "BoxWithoutDropBox";
}

/** The containers are listed before the rows are read: a row is written before its container and removed after it. */
async function unaccounted(world: Needs, account: string, held: readonly HeldDay[]): Promise<string[]> {
  const names = await all(world.storehouse.containers(account));
  const expected = new Set(held.filter((each) => each.account === account).map((each) => dayContainerName(each.day)));
  for await (const work of world.schedule.due(endOfTime)) {
    if ("landing" in work) expected.add(work.landing);
    if (work.kind === "dropBox") expected.add(work.container);
  }
  return names.filter((name) => isAccountable(name, world.clock.now()) && !expected.has(name));
}

/** What was lent in parts needs no row while its day is not long over. */
function isAccountable(name: string, now: Date): boolean {
  const lentOn = lentDayOfContainer(name);
  if (lentOn !== undefined) return isLentDayLate(lentOn, now);
  return name.startsWith(landingPrefix) || dayOfContainer(name) !== undefined || boxOfContainer(name) !== undefined;
}

/** Drop boxes that are still writable after the day when nothing could be copied from them any more. */
async function overdueBoxes({ storehouse }: Needs, account: string, now: Date): Promise<Violation[]> {
  const found: Violation[] = [];
  for await (const container of storehouse.containers(account)) {
    const box = boxOfContainer(container);
    if (box === undefined) continue;
    const since = dayPurgeOn(box.day, lastCopyDay + 1);
    if (Date.parse(since) > now.getTime()) continue;
    const message = `Account ${account} has ${container}, whose drop box should have closed long ago: find out why sweepUnfinished fails.`;
    found.push({ code: "DropBoxOverdue", message, since, container });
  }
  return found;
}

const endOfTime = new Date("9999-12-31T00:00:00Z");
