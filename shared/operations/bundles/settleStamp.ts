import { type StampId, toUtcTime } from "../../api/primitives.ts";
import type { StampRecord } from "../../domain/stamp.ts";
import { eachInTurn, eachIsolated } from "../bounded.ts";
import { endGrants } from "../cases/settleCase.ts";
import type { World } from "../needs.ts";
import { settleBundle } from "./settleBundle.ts";

/**
 * After an epoch was raised (disabled, consent ended): writes the visible end of the uploads that it ended and deletes their landing containers.
 * Grants on its bundles end with a disabling too. All of that is dead from the commit on; this makes it show, and a sweeper does it where we die first.
 */
export async function settleStamp(world: World, stampId: StampId): Promise<void> {
  await eachInTurn(
    () =>
      eachIsolated(world.stamps.openBundles(stampId), 8, async ({ item: bundleId }) => {
        await settleBundle(world, stampId, bundleId);
      }),
    () => eachIsolated(world.stamps.cases(stampId), 8, ({ item }) => endGrants(world, item)),
  );
}

/** Call before the commit; run what it gives after it. */
export async function settleStampSoon(
  world: World,
  before: StampRecord | undefined,
  after: StampRecord,
): Promise<() => Promise<void>> {
  const raised =
    before !== undefined && (before.uploadEpoch !== after.uploadEpoch || before.consentEpoch !== after.consentEpoch);
  if (!raised) return async () => {};
  const now = world.clock.now();
  const work = { kind: "stamp", stampId: after.stampId, dueOn: toUtcTime(now) } as const;
  await world.schedule.remember(work, now);
  return async () => {
    try {
      await settleStamp(world, after.stampId);
      await world.schedule.forget(work);
    } catch (error) {
      world.log.error("stamp.settleLater", error, { stampId: after.stampId });
    }
  };
}
