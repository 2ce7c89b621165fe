import type { BundleRecord } from "../../domain/bundle.ts";
import type { World } from "../needs.ts";
import { uploadWork } from "./uploadWork.ts";

/** The bundle is submitted whether or not this succeeds; where it fails, the sweeper asks again soon. */
export async function askForVerification(
  world: Pick<World, "clock" | "log" | "queue" | "schedule">,
  bundle: BundleRecord,
): Promise<void> {
  try {
    await world.queue.send({ stampId: bundle.stampId, bundleId: bundle.bundleId });
  } catch (error) {
    world.log.error("verification.askLater", error, { bundleId: bundle.bundleId });
    await world.schedule.remember(uploadWork(bundle), new Date(world.clock.now().getTime() + 30_000));
  }
}
