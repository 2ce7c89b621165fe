import { toUtcTime } from "../../api/primitives.ts";
import { dayContainerName, dayOfContainer, landingPrefix } from "../../domain/containers.ts";
import type { Violation } from "../../domain/violations.ts";
import { all } from "../bounded.ts";
import type { HeldDay, World } from "../needs.ts";
import { compareDay } from "./compareDay.ts";
import { findViolations } from "./retention.ts";

type Needs = Pick<World, "clock" | "log" | "runs" | "schedule" | "stamps" | "storehouse">;

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
    found.push(...(await keptThings(world, account, now)));
    found.push(...(await strayContainers(world, account, held, now)));
    for (const each of held) if (each.account === account) found.push(...(await compareDay(world, each, now)));
  }
  const violations = found.slice(0, mostFindings);
  for (const { code, since, container, stampId, bundleId } of violations) {
    log.alert("retention.violation", { code, since, container, stampId, bundleId });
  }
  await runs.keepFindings({ asOf: toUtcTime(now), violations });
}

/** An account whose settings cannot be read is a finding of its own: it must not keep the rest from being compared. */
async function keptThings({ log, storehouse }: Needs, account: string, now: Date): Promise<Violation[]> {
  const since = toUtcTime(now);
  try {
    const kept = await storehouse.keepsDeleted(account);
    return kept.map((what) => ({
      code: "AccountKeepsDeleted",
      message: `Account ${account}: ${what}. Turn it off.`,
      since,
    }));
  } catch (error) {
    log.error("reconcile.settingsUnreadable", error, { account });
    const message = `Whether account ${account} keeps deleted data could not be read: give the service the right to, or look by hand.`;
    return [{ code: "AccountSettingsUnreadable", message, since }];
  }
}

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
      code: container.startsWith(landingPrefix) ? "LandingWithoutUpload" : "ContainerWithoutRow",
      message: `Account ${account} has ${container}, which no row stands for: delete it after finding out why.`,
      since: toUtcTime(now),
      container,
    }));
}

/** The containers are listed before the rows are read: a row is written before its container and removed after it. */
async function unaccounted(world: Needs, account: string, held: readonly HeldDay[]): Promise<string[]> {
  const names = await all(world.storehouse.containers(account));
  const expected = new Set(held.filter((each) => each.account === account).map((each) => dayContainerName(each.day)));
  for await (const work of world.schedule.due(endOfTime)) if ("landing" in work) expected.add(work.landing);
  return names.filter(
    (name) => (name.startsWith(landingPrefix) || dayOfContainer(name) !== undefined) && !expected.has(name),
  );
}

const endOfTime = new Date("9999-12-31T00:00:00Z");
