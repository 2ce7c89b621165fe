import type { BundleRecord } from "../../domain/bundle.ts";
import { utcDay } from "../../domain/utcDay.ts";
import type { TokenCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { accessOf, type UnderGrant } from "./accessOf.ts";
import { requireLentNow } from "./recordLending.ts";

/**
 * Decides whether the caller may see the names of the bundle's files under the grant, and writes down that they will: once for each person, bundle
 * and UTC day, in the stamp's partition, so that its customer sees it. The event is committed before any name is read (invariant 5).
 */
export async function recordListing(
  world: Pick<World, "stamps" | "clock">,
  caller: TokenCaller,
  under: UnderGrant,
): Promise<BundleRecord> {
  const { stamps, clock } = world;
  const { stampId, bundleId } = under;
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const now = clock.now();
      const listing = { day: utcDay(now), bundleId, subject: caller.subject };
      const [bundle, isListed] = await Promise.all([
        requireLentNow(world, head, under, now),
        stamps.isListed(stampId, listing),
      ]);
      if (isListed) return bundle;
      const { access, event } = accessOf("list", caller, under, bundle, now);
      await stamps.commit(stampId, head, { events: [event], access, listing }, now);
      return bundle;
    },
  );
}
