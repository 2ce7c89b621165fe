import { toUtcTime } from "../../api/primitives.ts";
import type { DropBoxRecord } from "../../domain/dropBox.ts";
import { type EventData, theService } from "../../domain/event.ts";
import { instant } from "../../domain/retention.ts";
import { eachBounded } from "../bounded.ts";
import { settleBundle } from "../bundles/settleBundle.ts";
import type { World } from "../needs.ts";
import { writeStep } from "./boxStep.ts";
import { boxWork } from "./boxWork.ts";

/**
 * Closes a box that is sealed, or goes on where that stopped. The container goes first: `closedOn` says that nothing can be written or read any more.
 * Then its bundles are verified, and those that ended meanwhile are deleted. Safe to repeat.
 */
export async function finishClosing(world: World, box: DropBoxRecord): Promise<void> {
  await world.boxes.delete(box.account, box.container);
  await writeStep(world, box.dropBoxId, theService, (standing, now) => {
    if (standing.state !== "closing" || standing.emptied === undefined) return undefined;
    const { account, container, emptied } = standing;
    return {
      next: { ...standing, state: "closed", closedOn: toUtcTime(now) },
      told: [
        { type: "dropBox.emptied", facts: countsOf(emptied) },
        { type: "dropBox.closed", facts: { container, account, ...countsOf(emptied) } },
      ],
    };
  });
  await settleBundles(world, box);
  // Its URLs could write to a container of that name until they end: so long somebody looks after it.
  const isOver = world.clock.now().getTime() >= instant(box.expiresOn);
  if (isOver) await world.schedule.forget(boxWork(box));
  else await world.schedule.remember(boxWork(box), new Date(box.expiresOn));
}

/** One that fails leaves the others to go on. */
async function settleBundles(world: World, { stampId }: DropBoxRecord): Promise<void> {
  const failures: unknown[] = [];
  await eachBounded(world.stamps.history(stampId), 8, async ({ item }) => {
    await settleBundle(world, stampId, item).catch((error: unknown) => void failures.push(error));
  });
  if (failures.length > 0) throw failures[0];
}

const countsOf = ({ files, bytes, refused }: NonNullable<DropBoxRecord["emptied"]>): EventData => ({
  files,
  bytes,
  refused: refused.map(({ code, files }) => `${code}:${files}`),
});
