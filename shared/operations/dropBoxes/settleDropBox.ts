import type { CloseReason } from "../../api/dropBoxes.ts";
import { type DropBoxRecord, quietOn, reasonToClose, takesFiles } from "../../domain/dropBox.ts";
import { theService } from "../../domain/event.ts";
import type { World } from "../needs.ts";
import type { BoxWork } from "./boxWork.ts";
import { beginClosing } from "./closeDropBox.ts";
import { finishClosing } from "./finishClosing.ts";
import { inServiceTime } from "./inServiceTime.ts";
import { asDropBox } from "./view.ts";

/** When the sweeper looks again at a box that it has had emptied. */
const lookAgainAfterMs = 10 * 60_000;

/** Drives a box to where it should be by now: closes what is over, has emptied what is closing, deletes a container that no box has. Safe to repeat. */
export async function settleDropBox(world: World, work: BoxWork): Promise<void> {
  const { boxes, clock, schedule, stamps } = world;
  const box = asDropBox(await stamps.head(work.stampId));
  if (box?.container !== work.container) {
    await boxes.delete(work.account, work.container);
    return await schedule.forget(work);
  }
  if (box.state === "closed") return await finishClosing(world, box);
  if (box.state === "closing") {
    await schedule.remember(work, new Date(clock.now().getTime() + lookAgainAfterMs));
    return await world.queue.send({ dropBoxId: box.dropBoxId });
  }
  // What is over closes whatever its listing says, and whether or not it can be listed.
  const arrived = takesFiles(box, clock.now()) ? await lastArrival(world, box) : undefined;
  const reason = (await reasonOfCase(world, box)) ?? reasonToClose(box, arrived, clock.now());
  if (reason === undefined) return await schedule.remember(work, quietOn(box, arrived));
  await beginClosing(world, theService, box.dropBoxId, reason);
}

/** A box that its case does not list was never finished opening: nobody has a URL for it. */
async function reasonOfCase({ cases }: Pick<World, "cases">, box: DropBoxRecord): Promise<CloseReason | undefined> {
  const record = (await cases.head(box.caseNumber)).state;
  if (!record?.dropBoxIds.includes(box.dropBoxId)) return "abandoned";
  return record.state === "open" ? undefined : "caseClosed";
}

/** By the clock of retention; the listing is what is true, whatever messages said. */
async function lastArrival(world: Pick<World, "boxes" | "clock">, box: DropBoxRecord): Promise<Date | undefined> {
  let last: Date | undefined;
  for await (const { writtenOn } of world.boxes.files(box.account, box.container)) {
    if (last === undefined || writtenOn > last) last = writtenOn;
  }
  return last && inServiceTime(world.clock, last);
}
