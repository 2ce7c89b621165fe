import { toUtcTime } from "../../api/primitives.ts";
import { type BundleRecord, transition } from "../../domain/bundle.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { verificationLag } from "../../domain/retention.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { finishPurge } from "./finishPurge.ts";

/** The service could not read what was uploaded, and will not be able to. */
export const unverifiable = {
  code: "Unverifiable",
  message: "The service could not verify the bundle in the time it may be kept. Collect and send the logs again.",
} as const;

/** The verdict that a submitted bundle is not what its stamp signed; its bytes are deleted at once. */
export async function rejectBundle(
  world: World,
  { stampId, bundleId }: BundleRecord,
  rejection: NonNullable<BundleRecord["rejection"]>,
): Promise<BundleRecord> {
  const { stamps, clock } = world;
  // Giving up after the time is no attempt of its own; a verdict is.
  const isGivenUp = rejection.code === "Unverifiable";
  const rejected = await transact(
    () => stamps.head(stampId),
    async (head) => {
      const bundle = await stamps.bundle(stampId, bundleId);
      if (bundle === undefined) throw new TypeError("A bundle's row is never deleted");
      if (bundle.state !== "submitted" || bundle.purge !== undefined) return bundle;
      const now = clock.now();
      const next: BundleRecord = {
        ...bundle,
        state: "rejected",
        rejection,
        verification: { attempts: (bundle.verification?.attempts ?? 0) + (isGivenUp ? 0 : 1) },
        purge: { basis: "rejected", intendedOn: toUtcTime(now) },
      };
      const event: NewEvent = {
        type: "bundle.rejected",
        actor: theService,
        data: { ...transition(bundle, next), rejection: rejection.code },
      };
      await stamps.commit(stampId, head, { events: [event], update: [{ from: bundle, to: next }] }, now);
      return next;
    },
  );
  if (rejected.rejection === rejection)
    world.log.info("bundle.rejected", {
      stampId,
      bundleId,
      code: rejection.code,
      lagSeconds: verificationLag(rejected, clock.now()),
    });
  return rejected.state === "rejected" ? await finishPurge(world, rejected) : rejected;
}
