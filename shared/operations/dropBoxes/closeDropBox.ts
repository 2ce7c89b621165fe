import type { CloseReason, DropBox } from "../../api/dropBoxes.ts";
import { type DropBoxId, toUtcTime } from "../../api/primitives.ts";
import { senderOf } from "../../domain/dropBox.ts";
import type { Actor } from "../../domain/event.ts";
import { actorOf, type TokenCaller } from "../caller.ts";
import { requireKnown } from "../cases/view.ts";
import type { World } from "../needs.ts";
import { writeStep } from "./boxStep.ts";
import { boxWork } from "./boxWork.ts";
import { type DropBoxPlace, dropBoxView, requireDropBox } from "./view.ts";

/** Closes a box on the word of a person or the case system. It is `closing` until what arrived is taken and its container gone. Repeating it is safe. */
export async function closeDropBox(world: World, caller: TokenCaller, place: DropBoxPlace): Promise<DropBox> {
  const { cases, stamps } = world;
  requireKnown(await cases.head(place.caseNumber), caller);
  requireDropBox(await stamps.head(senderOf(place.dropBoxId)), place);
  await beginClosing(world, actorOf(caller), place.dropBoxId, "requested");
  return await dropBoxView(world, requireDropBox(await stamps.head(senderOf(place.dropBoxId)), place));
}

/** Soon enough, should the message be lost; and not at once, as it hardly ever is. */
const firstLookAfterMs = 60_000;

/** From the commit on no URL is given any more, and the sweeper sees to it that the box is emptied even if the message is lost. */
export async function beginClosing(
  world: World,
  actor: Actor,
  dropBoxId: DropBoxId,
  reason: CloseReason,
): Promise<void> {
  const box = await writeStep(world, dropBoxId, actor, async (standing, now) => {
    if (standing.state !== "open") return undefined;
    await world.schedule.remember(boxWork(standing), new Date(now.getTime() + firstLookAfterMs));
    return {
      next: { ...standing, state: "closing", closing: { on: toUtcTime(now), reason } },
      told: [{ type: "dropBox.closing", facts: { reason } }],
    };
  });
  if (box?.state !== "closing") return;
  try {
    await world.queue.send({ dropBoxId });
  } catch (error) {
    world.log.error("dropBox.emptyLater", error, { dropBoxId });
  }
}
