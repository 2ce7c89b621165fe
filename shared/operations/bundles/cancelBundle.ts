import type { Bundle } from "../../api/bundles.ts";
import type { BundleId } from "../../api/primitives.ts";
import { ended, endedBy, transition } from "../../domain/bundle.ts";
import { actorOf, type StampCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { invalidState, noSuchBundle, requireWriter } from "../refusals.ts";
import { transact } from "../transact.ts";
import { settleBundle } from "./settleBundle.ts";
import { lookSoon } from "./uploadWork.ts";
import { bundleView } from "./view.ts";

/** Gives up an upload. Its landing container is deleted before the answer, so no URL that was issued writes any more. */
export async function cancelBundle(world: World, caller: StampCaller, bundleId: BundleId): Promise<Bundle> {
  const { clock, stamps } = world;
  const { stampId } = caller;
  const stamp = await transact(
    () => stamps.head(stampId),
    async (head) => {
      const stamp = requireWriter(head, caller, world.clock);
      const bundle = await stamps.bundle(stampId, bundleId);
      if (bundle === undefined) throw noSuchBundle();
      const now = clock.now();
      const state = endedBy(bundle, stamp, now) ?? bundle.state;
      if (state === "canceled") return stamp;
      if (state !== "created") {
        throw invalidState(
          state,
          `The bundle is ${state}: only an upload that was not submitted can be canceled. To delete it before its time, erase it.`,
        );
      }
      const canceled = ended(bundle, "canceled", now);
      const event = { type: "bundle.canceled", actor: actorOf(caller), data: transition(bundle, canceled) } as const;
      await lookSoon(world, bundle);
      await stamps.commit(stampId, head, { events: [event], update: [{ from: bundle, to: canceled }] }, now);
      return stamp;
    },
    caller.head,
  );
  const settled = await settleBundle(world, stampId, bundleId);
  if (settled === undefined) throw noSuchBundle();
  return bundleView(settled, stamp, clock.now());
}
