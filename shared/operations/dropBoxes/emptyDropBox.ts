import * as z from "zod";
import { type DropBoxId, dropBoxId, toUtcTime } from "../../api/primitives.ts";
import { type DropBoxRecord, senderOf } from "../../domain/dropBox.ts";
import { type EventData, theService } from "../../domain/event.ts";
import { instant } from "../../domain/retention.ts";
import type { World } from "../needs.ts";
import { writeStep } from "./boxStep.ts";
import { boxWork } from "./boxWork.ts";
import { dropStrays } from "./dropStrays.ts";
import { listingOf, takeArrivals } from "./takeArrivals.ts";
import { asDropBox } from "./view.ts";

/** What the queue carries. */
export const emptyingMessage = z.object({ dropBoxId });

/** How long one message works on a box before it makes way for others, and the pause until the next goes on. */
const turnMs = 20_000;
const pauseSeconds = 3;

/** When the sweeper asks again after a turn that failed. */
const retryAfterMs = 30_000;

/**
 * Empties a box that is closing: rounds of taking what arrived, until one is followed by no further arrival; then the container goes, which is what
 * ends writing. Whatever dies on the way, the next turn goes on from what is written. What fails on our side is tried again, until the box's own
 * day of deletion.
 */
export async function emptyDropBox(world: World, id: DropBoxId): Promise<void> {
  const box = asDropBox(await world.stamps.head(senderOf(id)));
  if (box?.state !== "closing") return;
  try {
    if (isPurgeDue(world, box) || (await empty(world, box))) await close(world, box);
    else await world.queue.send({ dropBoxId: id }, pauseSeconds);
  } catch (error) {
    world.log.error("dropBox.emptyLater", error, { dropBoxId: id });
    await world.schedule.remember(boxWork(box), new Date(world.clock.now().getTime() + retryAfterMs));
  }
}

/** Its day is over: the container goes with what is in it, also where it could never be listed (invariant 3). */
const isPurgeDue = ({ clock }: Pick<World, "clock">, { purgeOn }: DropBoxRecord): boolean =>
  clock.now().getTime() >= instant(purgeOn);

/** Whether all that is in the container is taken or refused; false where the turn was over before. */
async function empty(world: World, first: DropBoxRecord): Promise<boolean> {
  const until = world.clock.real().getTime() + turnMs;
  let box = first;
  for (;;) {
    const isGone = box.emptied !== undefined && !(await world.boxes.isThere(box.account, box.container));
    if (isGone) return true;
    const listing = await listingOf(world, box);
    if (box.emptied?.listing === listing) return true;
    const arrived = await takeArrivals(world, box, until);
    if (arrived === undefined) return false;
    box = await writeEmptied(world, box, { listing, ...arrived });
  }
}

async function writeEmptied(
  world: World,
  box: DropBoxRecord,
  emptied: NonNullable<DropBoxRecord["emptied"]>,
): Promise<DropBoxRecord> {
  await writeStep(world, box.dropBoxId, { type: "dropBox.emptied", actor: theService }, (standing) =>
    standing.state === "closing" && standing.emptied?.listing !== emptied.listing
      ? { next: { ...standing, emptied }, facts: countsOf(emptied) }
      : undefined,
  );
  return { ...box, emptied };
}

/** The container first: `closedOn` says that nothing can be written any more, by a customer or by a turn of ours. */
async function close(world: World, box: DropBoxRecord): Promise<void> {
  await world.boxes.delete(box.account, box.container);
  await writeStep(world, box.dropBoxId, { type: "dropBox.closed", actor: theService }, (standing, now) =>
    standing.state === "closing"
      ? {
          next: { ...standing, state: "closed", closedOn: toUtcTime(now) },
          facts: { container: standing.container, account: standing.account, ...countsOf(standing.emptied) },
        }
      : undefined,
  );
  await dropStrays(world, box);
  await world.schedule.forget(boxWork(box));
}

const countsOf = (emptied: DropBoxRecord["emptied"]): EventData => ({
  files: emptied?.files ?? 0,
  bytes: emptied?.bytes ?? 0,
  refused: (emptied?.refused ?? []).map(({ code, files }) => `${code}:${files}`),
});
