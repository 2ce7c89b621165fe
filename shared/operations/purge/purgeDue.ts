import { toUtcTime } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import { dayContainerName } from "../../domain/containers.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { purgeReasons } from "../../domain/purge.ts";
import { isLentDayOver } from "../../domain/retention.ts";
import { eachBounded } from "../bounded.ts";
import { placeOf, purged, sayPurged } from "../bundles/finishPurge.ts";
import { purgeEarly } from "../bundles/purgeEarly.ts";
import { settleBundle } from "../bundles/settleBundle.ts";
import { endGrantsSoon } from "../cases/settleCase.ts";
import type { EarlyPurge, Expiry, HeldDay, World } from "../needs.ts";
import { transact } from "../transact.ts";

/** Hours after which an erasure row without an erasure is old news rather than one that is just being asked for. */
const staleMs = 3_600_000;

/** Deletes what is due: erasures whose time has come, then every day container whose day is over. One that fails leaves the others to go on. */
export async function purgeDue(world: World): Promise<void> {
  const now = world.clock.now();
  const failures: unknown[] = [];
  const go = async (work: () => Promise<void>, facts: Record<string, unknown>) => {
    try {
      await work();
    } catch (error) {
      failures.push(error);
      world.log.alert("purge.failed", facts);
      world.log.error("purge.failed", error, facts);
    }
  };
  const purgeOne = (wish: EarlyPurge) =>
    go(() => carryOut(world, wish, now), { stampId: wish.stampId, bundleId: wish.bundleId });
  await go(() => eachBounded(world.schedule.earlyDue(now), 8, purgeOne), { index: "early" });
  for await (const held of world.schedule.heldDays()) {
    if (Date.parse(held.purgeOn) <= now.getTime()) {
      await go(() => purgeDay(world, held), { container: dayContainerName(held.day), account: held.account });
    }
  }
  for (const account of world.storehouse.accounts) {
    await go(() => dropLentDays(world, account, now), { containers: "lent", account });
  }
  if (failures.length > 0) throw failures[0];
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

/**
 * Drops a day's container: intent, one deleting call, verified gone, then each bundle's own `purged`. Runs on from wherever an earlier run
 * stopped; the day leaves the index last.
 */
async function purgeDay(world: World, held: HeldDay): Promise<void> {
  await writeContainer(world, held, "container.purgeIntended");
  await world.days.deleteDay(held.account, held.day);
  await writeContainer(world, held, "container.purged");
  await purgeBundles(world, held);
  await world.schedule.releaseDay(held);
}

async function writeContainer(
  world: World,
  { day, account }: HeldDay,
  type: "container.purgeIntended" | "container.purged",
): Promise<void> {
  const { service, clock } = world;
  await transact(service.head, async (head) => {
    const standing = await service.container(day, account);
    const written = type === "container.purgeIntended" ? standing !== undefined : standing?.deletedOn !== undefined;
    if (written) return;
    const now = clock.now();
    const intendedOn = standing?.intendedOn ?? toUtcTime(now);
    const container = {
      day,
      account,
      intendedOn,
      ...(type === "container.purged" ? { deletedOn: toUtcTime(now) } : {}),
    };
    const event: NewEvent = { type, actor: theService, data: { container: dayContainerName(day), account, day } };
    await service.commit(head, { events: [event], container }, now);
  });
}

/** How many bundles of the day are looked at before their stamps' partitions are written. */
const bundlesPerBatch = 500;
/** Each bundle takes a row and an event of a transaction's hundred. */
const bundlesPerCommit = 40;

/** Writes `purged` for the day's bundles on the account, many of a stamp in one transaction. */
async function purgeBundles(world: World, held: HeldDay): Promise<void> {
  let batch: Expiry[] = [];
  const flush = async () => {
    for (const ofOneStamp of Map.groupBy(batch, (each) => each.stampId).values()) {
      for (let from = 0; from < ofOneStamp.length; from += bundlesPerCommit) {
        await purgeTogether(world, held, ofOneStamp.slice(from, from + bundlesPerCommit));
      }
    }
    batch = [];
  };
  for await (const expiry of world.schedule.expiring(held.day)) {
    batch.push(expiry);
    if (batch.length === bundlesPerBatch) await flush();
  }
  await flush();
}

/** Bundles of one stamp whose bytes went with their day. */
async function purgeTogether(world: World, held: HeldDay, expiries: readonly Expiry[]): Promise<void> {
  const stampId = expiries[0]?.stampId;
  if (stampId === undefined) return;
  const { stamps, clock } = world;
  const outcome = await transact(
    () => stamps.head(stampId),
    async (head) => {
      const now = clock.now();
      const found = await Promise.all(expiries.map((each) => stamps.bundle(stampId, each.bundleId)));
      const mine = found.filter((bundle) => bundle !== undefined).filter((bundle) => bundle.account === held.account);
      const gone = mine.filter((bundle) => bundle.state === "accepted" && bundle.purge?.deletedOn === undefined);
      await Promise.all(gone.map((bundle) => endUpload(world, bundle)));
      for (const bundle of gone) if (bundle.isLentInParts) await world.contents.deleteLentOf(placeOf(bundle));
      const events: NewEvent[] = [];
      const update: { from: BundleRecord; to: BundleRecord }[] = [];
      for (const bundle of gone) {
        const { next, event } = purged(world, head, bundle, now, events);
        events.push(event);
        update.push({ from: bundle, to: next });
      }
      const endTheirs = await endGrantsSoon(world, gone);
      if (events.length > 0) await stamps.commit(stampId, head, { events, update }, now);
      await endTheirs();
      return {
        purged: update.map(({ to }) => to),
        done: mine.filter((bundle) => bundle.state !== "submitted"),
        unfinished: mine.filter((bundle) => bundle.state === "submitted"),
      };
    },
  );
  for (const bundle of outcome.purged) sayPurged(world, bundle);
  for (const bundle of outcome.unfinished) await settleBundle(world, stampId, bundle.bundleId);
  await eachBounded(outcome.done, 16, (bundle) => world.schedule.unexpire(bundle));
}

/** Its landing container went when it was accepted. That is asked rather than done once more, so that a day costs one deleting call. */
async function endUpload({ landing }: World, bundle: BundleRecord): Promise<void> {
  if (await landing.isThere(bundle.account, bundle.landing)) await landing.delete(bundle.account, bundle.landing);
}

/** Drops what was lent in parts on days that are over; a URL that was issued last may live a quarter of an hour into the next. */
async function dropLentDays({ contents }: World, account: string, now: Date): Promise<void> {
  for (const day of await contents.lentDays(account)) {
    if (isLentDayOver(day, now)) await contents.deleteLentDay(account, day);
  }
}
