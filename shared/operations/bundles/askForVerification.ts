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

/** Minutes after a submit in which its message is believed to be on its way. */
const onItsWayMs = 5 * 60_000;

/** A repeated submit sends no message: it has the sweeper look once the first message should have arrived, however often it is repeated. */
export async function askAgainLater(world: Pick<World, "clock" | "schedule">, bundle: BundleRecord): Promise<void> {
  const now = world.clock.now().getTime();
  const submitted = bundle.submittedOn === undefined ? now : Date.parse(bundle.submittedOn);
  await world.schedule.remember(uploadWork(bundle), new Date(Math.max(now, submitted + onItsWayMs)));
}
