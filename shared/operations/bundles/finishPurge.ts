import { toUtcTime } from "../../api/primitives.ts";
import { type BundleRecord, transition } from "../../domain/bundle.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { ageDays } from "../../domain/retention.ts";
import { utcDay } from "../../domain/utcDay.ts";
import type { Place, StampHead, World } from "../needs.ts";
import { transact } from "../transact.ts";
import { isInOpenBox } from "./boxOfBundle.ts";
import { uploadWork } from "./uploadWork.ts";

type Needs = Pick<World, "clock" | "stamps" | "schedule" | "landing" | "days" | "contents" | "log">;

/** Where an accepted bundle's bytes are. */
export const placeOf = (bundle: BundleRecord): Place => ({
  account: bundle.account,
  day: utcDay(new Date(bundle.createdOn)),
  stampId: bundle.stampId,
  bundleId: bundle.bundleId,
});

/**
 * Carries out a deletion that the bundle's row intends: the landing container first, so that nothing can be copied from it any more, then
 * the copy, then what was taken out of it; only when both are verified gone does the row say so. Safe to repeat, and a repetition deletes again: a verification that was
 * overtaken may have copied once more. What arrived in a drop box waits until its box is closed (`dropBoxes/finishClosing.ts`).
 */
export async function finishPurge(world: Needs, bundle: BundleRecord): Promise<BundleRecord> {
  if (bundle.purge === undefined) throw new TypeError("A deletion is intended before it is done");
  if (await isInOpenBox(world, bundle)) return bundle;
  await world.landing.delete(bundle.account, bundle.landing);
  if (bundle.submittedOn !== undefined) await world.days.deleteBundle(placeOf(bundle));
  if (bundle.isLentInParts) await world.contents.deleteLentOf(placeOf(bundle));
  const purged = bundle.purge.deletedOn === undefined ? await writePurged(world, bundle) : bundle;
  if (purged !== bundle) sayPurged(world, purged);
  await world.schedule.unexpire(bundle);
  await world.schedule.forget(uploadWork(bundle));
  return purged;
}

/** In the trace that the bundle was created in. */
export function sayPurged({ log, clock }: Pick<World, "clock" | "log">, bundle: BundleRecord): void {
  const { stampId, bundleId, purge, traceId } = bundle;
  const trace = traceId === undefined ? {} : { traceId };
  log.info("bundle.purged", {
    ...trace,
    stampId,
    bundleId,
    basis: purge?.basis,
    ageDays: ageDays(bundle, clock.now()),
  });
}

async function writePurged(world: Needs, { stampId, bundleId }: BundleRecord): Promise<BundleRecord> {
  const { stamps, clock } = world;
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const bundle = await stamps.bundle(stampId, bundleId);
      if (bundle?.purge === undefined) throw new TypeError("A deletion, once intended, stands on the row");
      if (bundle.purge.deletedOn !== undefined) return bundle;
      const now = clock.now();
      const { next, event } = purged(world, head, bundle, now);
      await stamps.commit(stampId, head, { events: [event], update: [{ from: bundle, to: next }] }, now);
      return next;
    },
  );
}

/** The row and the event that say the bytes are gone; `before` are the events that the same commit writes ahead of it. */
export function purged(
  world: Pick<World, "stamps">,
  head: StampHead,
  bundle: BundleRecord,
  now: Date,
  before: readonly NewEvent[] = [],
): { next: BundleRecord; event: NewEvent } {
  const { basis, intendedOn } = bundle.purge ?? { basis: "age", intendedOn: toUtcTime(now) };
  const keepsState = bundle.state === "rejected" || bundle.state === "canceled" || bundle.state === "expired";
  const gone: BundleRecord = {
    ...bundle,
    state: keepsState ? bundle.state : "purged",
    purge: { basis, intendedOn, deletedOn: toUtcTime(now) },
  };
  const event: NewEvent = { type: "bundle.purged", actor: theService, data: { ...transition(bundle, gone), basis } };
  const position = world.stamps.foresee(head, [...before, event], now);
  const ledger = { partition: head.partition, ...position };
  return { next: { ...gone, purge: { basis, intendedOn, deletedOn: toUtcTime(now), ledger } }, event };
}
