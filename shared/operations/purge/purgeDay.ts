import { toUtcTime } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import { dayContainerName } from "../../domain/containers.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { isOutage } from "../../errors.ts";
import { eachBounded, eachInTurn, eachIsolated, groupsOf } from "../bounded.ts";
import { placeOf, purged, sayPurged } from "../bundles/finishPurge.ts";
import { settleBundle } from "../bundles/settleBundle.ts";
import { endGrantsSoon } from "../cases/settleCase.ts";
import type { Expiry, HeldDay, World } from "../needs.ts";
import { transact } from "../transact.ts";

/**
 * Drops a day's container: intent, one deleting call, verified gone, then each bundle's own `purged`. Runs on from wherever an earlier run
 * stopped; the day leaves the index last.
 */
export async function purgeDay(world: World, held: HeldDay): Promise<void> {
  const { account, day } = held;
  // The container of an account that was drained and taken out of the settings went before that, and the ledger says so.
  const isKnownGone =
    !isConfigured(world, held) && (await world.service.container(day, account))?.deletedOn !== undefined;
  if (!isKnownGone) {
    await writeContainer(world, held, "container.purgeIntended");
    await world.days.deleteDay(account, day);
    await writeContainer(world, held, "container.purged");
  }
  await purgeBundles(world, held);
  await world.schedule.releaseDay(held);
}

const isConfigured = ({ storehouse }: Pick<World, "storehouse">, { account }: HeldDay): boolean =>
  storehouse.accounts.includes(account);

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

/** Writes `purged` for the day's bundles on the account, many of a stamp in one transaction. A stamp that fails leaves the others to be written. */
async function purgeBundles(world: World, held: HeldDay): Promise<void> {
  await eachIsolated(groupsOf(world.schedule.expiring(held.day), bundlesPerBatch), 1, (batch) => {
    const groups = [...Map.groupBy(batch, (each) => each.stampId).values()].flatMap(chunksOf);
    return eachIsolated(groups, 1, (together) => purgeTogetherOrAlone(world, held, together));
  });
}

function chunksOf(expiries: readonly Expiry[]): Expiry[][] {
  const chunks: Expiry[][] = [];
  for (let from = 0; from < expiries.length; from += bundlesPerCommit) {
    chunks.push(expiries.slice(from, from + bundlesPerCommit));
  }
  return chunks;
}

/** One bundle that cannot be written keeps none of its stamp's others from it; an outage is not tried again bundle by bundle. */
async function purgeTogetherOrAlone(world: World, held: HeldDay, expiries: readonly Expiry[]): Promise<void> {
  try {
    await purgeTogether(world, held, expiries);
  } catch (error) {
    if (expiries.length === 1 || isOutage(error)) throw error;
    await eachIsolated(expiries, 1, (expiry) => purgeTogether(world, held, [expiry]));
  }
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
      if (isConfigured(world, held)) await endUses(world, gone);
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
  await eachInTurn(
    () => eachBounded(outcome.done, 16, (bundle) => world.schedule.unexpire(bundle)),
    () =>
      eachIsolated(outcome.unfinished, 1, async ({ bundleId }) => void (await settleBundle(world, stampId, bundleId))),
  );
}

/** What else could still write or read their bytes. */
async function endUses(world: World, gone: readonly BundleRecord[]): Promise<void> {
  await Promise.all(gone.map((bundle) => endUpload(world, bundle)));
  for (const bundle of gone) if (bundle.isLentInParts) await world.contents.deleteLentOf(placeOf(bundle));
}

/** Its landing container went when it was accepted. That is asked rather than done once more, so that a day costs one deleting call. */
async function endUpload({ landing }: World, bundle: BundleRecord): Promise<void> {
  if (await landing.isThere(bundle.account, bundle.landing)) await landing.delete(bundle.account, bundle.landing);
}
