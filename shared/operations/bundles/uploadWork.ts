import type { BundleRecord } from "../../domain/bundle.ts";
import type { Unfinished, World } from "../needs.ts";

/** When the sweeper first looks at an upload: most have finished by then and are not looked at. */
export const firstLookAfterMs = 3_600_000;

/** The upload as unfinished work: it stands in the schedule from before its landing container exists until that is gone. */
export const uploadWork = (bundle: BundleRecord): Unfinished => ({
  kind: "upload",
  stampId: bundle.stampId,
  bundleId: bundle.bundleId,
  account: bundle.account,
  landing: bundle.landing,
});

/** Has the sweeper look at its next round: said before an upload's end is written, so that its bytes go at once though we die on the way. */
export const lookSoon = (world: Pick<World, "clock" | "schedule">, bundle: BundleRecord): Promise<void> =>
  world.schedule.remember(uploadWork(bundle), world.clock.now());
