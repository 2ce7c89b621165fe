import { type BundleId, type StampId, toUtcTime } from "../../api/primitives.ts";
import { type BundleRecord, bundleFacts } from "../../domain/bundle.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { type PurgeReason, purgeReasons } from "../../domain/purge.ts";
import { closedForLongEnough } from "../cases/closedCases.ts";
import { endGrantsSoon } from "../cases/settleCase.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { finishPurge } from "./finishPurge.ts";

/**
 * Deletes a bundle before its day's container goes, where an erasure or the closing of its cases is due: the intent is written first, then the
 * bytes go. Safe to repeat; undefined where nothing is due.
 */
export async function purgeEarly(
  world: World,
  stampId: StampId,
  bundleId: BundleId,
): Promise<BundleRecord | undefined> {
  const { clock, stamps } = world;
  const intended = await transact(
    () => stamps.head(stampId),
    async (head) => {
      const bundle = await stamps.bundle(stampId, bundleId);
      if (bundle === undefined || bundle.state === "created") return undefined;
      if (bundle.purge !== undefined || (bundle.state !== "submitted" && bundle.state !== "accepted")) return bundle;
      const now = clock.now();
      const basis = await dueBasis(world, bundle, now);
      if (basis === undefined) return undefined;
      const next: BundleRecord = { ...bundle, purge: { basis, intendedOn: toUtcTime(now) } };
      const event: NewEvent = {
        type: "bundle.purgeIntended",
        actor: theService,
        data: { ...bundleFacts(bundle), basis },
      };
      const endTheirs = await endGrantsSoon(world, [bundle]);
      await stamps.commit(stampId, head, { events: [event], update: [{ from: bundle, to: next }] }, now);
      await endTheirs();
      return next;
    },
  );
  if (intended === undefined) return undefined;
  return intended.purge === undefined ? intended : await finishPurge(world, intended);
}

/** The first reason that holds now. Age is the day container's affair; a closing is in doubt until its cases are asked, and keeps no erasure waiting. */
async function dueBasis(world: World, bundle: BundleRecord, now: Date): Promise<PurgeReason["basis"] | undefined> {
  for (const { basis, on } of purgeReasons(bundle)) {
    if (basis === "age" || now.getTime() < Date.parse(on)) return undefined;
    if (basis === "erasure" || (await closedForLongEnough(world, bundle, now))) return basis;
  }
  return undefined;
}
