import type { BundleId, StampId } from "../../api/primitives.ts";
import type { DropBoxRecord } from "../../domain/dropBox.ts";
import { utcDay } from "../../domain/utcDay.ts";
import type { World } from "../needs.ts";

/** The bundles that a box's files have become. */
export async function bundlesOfBox({ stamps }: Pick<World, "stamps">, stampId: StampId): Promise<Set<BundleId>> {
  const taken = new Set<BundleId>();
  for await (const { item } of stamps.history(stampId)) taken.add(item);
  return taken;
}

/**
 * Deletes copies that became no bundle: a turn died before it wrote them, and the customer overwrote or the next refused the file. For a box
 * that is closed, which takes no bundle any more (`writeBundles`); each copy's expiry row was there before it.
 */
export async function dropStrays(
  world: Pick<World, "days" | "schedule" | "stamps">,
  box: DropBoxRecord,
): Promise<void> {
  const { account, stampId, createdOn } = box;
  const day = utcDay(new Date(createdOn));
  const taken = await bundlesOfBox(world, stampId);
  for await (const expiry of world.schedule.expiringOf(box)) {
    if (taken.has(expiry.bundleId)) continue;
    await world.days.deleteBundle({ account, day, stampId, bundleId: expiry.bundleId });
    await world.schedule.unexpire(expiry);
  }
}
