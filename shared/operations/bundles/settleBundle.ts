import type { BundleId, StampId } from "../../api/primitives.ts";
import { type BundleRecord, ended, endedBy, transition } from "../../domain/bundle.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { expiresUnsubmittedOn } from "../../domain/retention.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { finishPurge } from "./finishPurge.ts";
import { rejectBundle, unverifiable } from "./rejectBundle.ts";
import { firstLookAfterMs, lookSoon, uploadWork } from "./uploadWork.ts";

/**
 * Drives a bundle to where it should be by now: an upload that ended is written as ended, what must be deleted is deleted, what was
 * submitted is verified. Every step is safe to repeat, so this is what heals whatever died halfway. Gives the bundle as it stands then.
 */
export async function settleBundle(
  world: World,
  stampId: StampId,
  bundleId: BundleId,
): Promise<BundleRecord | undefined> {
  const bundle = await writeEnd(world, stampId, bundleId);
  if (bundle === undefined) return undefined;
  if (bundle.purge !== undefined) return await finishPurge(world, bundle);
  switch (bundle.state) {
    case "created":
      await lookAgain(world, bundle, nextLook(bundle, world.clock.now()));
      return bundle;
    case "submitted":
      return await settleSubmitted(world, bundle);
    case "accepted":
      await world.landing.delete(bundle.account, bundle.landing);
      await world.schedule.forget(uploadWork(bundle));
      return bundle;
    default:
      throw new TypeError(`A bundle that is ${bundle.state} has its deletion on its row`);
  }
}

/** When it expires, and every hour until then: it may have been submitted, or ended, by somebody who died right after. */
const nextLook = ({ createdOn }: BundleRecord, now: Date): Date =>
  new Date(Math.min(expiresUnsubmittedOn(createdOn).getTime(), now.getTime() + firstLookAfterMs));

/** Writes that an upload was canceled or expired, where it was. */
async function writeEnd(world: World, stampId: StampId, bundleId: BundleId): Promise<BundleRecord | undefined> {
  const { stamps, clock } = world;
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const bundle = await stamps.bundle(stampId, bundleId);
      if (bundle === undefined || head.state === undefined) return undefined;
      const now = clock.now();
      const end = endedBy(bundle, head.state, now);
      if (end === undefined) return bundle;
      const next = ended(bundle, end, now);
      const event: NewEvent = { type: `bundle.${end}`, actor: theService, data: transition(bundle, next) };
      await lookSoon(world, bundle);
      await stamps.commit(stampId, head, { events: [event], update: [{ from: bundle, to: next }] }, now);
      return next;
    },
  );
}

async function settleSubmitted(world: World, bundle: BundleRecord): Promise<BundleRecord> {
  const { clock, queue } = world;
  const now = clock.now();
  if (now.getTime() >= Date.parse(bundle.purgeOn)) {
    return await rejectBundle(world, bundle, unverifiable);
  }
  const next = bundle.verification?.nextAttemptOn;
  if (next !== undefined && Date.parse(next) > now.getTime()) {
    await lookAgain(world, bundle, new Date(next));
    return bundle;
  }
  await lookAgain(world, bundle, new Date(now.getTime() + firstLookAfterMs));
  await queue.send({ stampId: bundle.stampId, bundleId: bundle.bundleId });
  return bundle;
}

const lookAgain = (world: World, bundle: BundleRecord, on: Date) => world.schedule.remember(uploadWork(bundle), on);
