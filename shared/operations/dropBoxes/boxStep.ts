import type { DropBoxId } from "../../api/primitives.ts";
import { type DropBoxRecord, senderOf } from "../../domain/dropBox.ts";
import type { EventData, NewEvent } from "../../domain/event.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { asDropBox } from "./view.ts";

type Step = { readonly next: DropBoxRecord; readonly facts: EventData };

/** Writes one step of a box's life with its event, where `step` finds it still to be written. Gives the box as it stands then. */
export async function writeStep(
  { clock, stamps }: Pick<World, "clock" | "stamps">,
  dropBoxId: DropBoxId,
  { type, actor }: Pick<NewEvent, "type" | "actor">,
  step: (box: DropBoxRecord, now: Date) => Promise<Step | undefined> | Step | undefined,
): Promise<DropBoxRecord | undefined> {
  const stampId = senderOf(dropBoxId);
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const box = asDropBox(head);
      if (box === undefined) return undefined;
      const now = clock.now();
      const taken: Step | undefined = await step(box, now);
      if (taken === undefined) return box;
      const data = { stampId, dropBoxId, caseNumber: box.caseNumber, ...taken.facts };
      await stamps.commit(stampId, head, { events: [{ type, actor, data }], sender: taken.next }, now);
      return taken.next;
    },
  );
}
