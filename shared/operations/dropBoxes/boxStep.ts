import type { DropBoxId } from "../../api/primitives.ts";
import { type DropBoxRecord, senderOf } from "../../domain/dropBox.ts";
import type { Actor, EventData, NewEvent } from "../../domain/event.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { asDropBox } from "./view.ts";

type Told = { readonly type: NewEvent["type"]; readonly facts: EventData };
type Step = { readonly next: DropBoxRecord; readonly told: readonly Told[] };

/** Writes one step of a box's life with its events, where `step` finds it still to be written. Gives the box as it stands then. */
export async function writeStep(
  { clock, stamps }: Pick<World, "clock" | "stamps">,
  dropBoxId: DropBoxId,
  actor: Actor,
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
      const names = { stampId, dropBoxId, caseNumber: box.caseNumber };
      const events = taken.told.map(({ type, facts }) => ({ type, actor, data: { ...names, ...facts } }));
      await stamps.commit(stampId, head, { events, sender: taken.next }, now);
      return taken.next;
    },
  );
}
