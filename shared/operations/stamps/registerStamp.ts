import type { StampId } from "../../api/primitives.ts";
import type { Registration, Stamp } from "../../api/stamps.ts";
import { type Condition, requireCondition } from "../../domain/etag.ts";
import { register } from "../../domain/registration.ts";
import type { StampRecord } from "../../domain/stamp.ts";
import { DomainError } from "../../errors.ts";
import { settleStampSoon } from "../bundles/settleStamp.ts";
import { actorOf, type Caller } from "../caller.ts";
import type { StampHead, World } from "../needs.ts";
import { transact } from "../transact.ts";
import { stampView } from "./view.ts";

/** No Cloud ID is a drop box's sender (`senderOf`): this refuses the one that somebody computed. */
function requireNoDropBox(head: StampHead): StampRecord | undefined {
  if (head.state?.kind !== "dropBox") return head.state;
  throw new DomainError(
    "DropBoxConflict",
    "This id stands for what arrives in a drop box. Check the stampId: it is the Stamp Cloud ID.",
  );
}

/** Registers a stamp or updates its registration. A new generation ends the consent, and with it proactive uploads not yet submitted. */
export async function registerStamp(
  world: World,
  caller: Caller,
  stampId: StampId,
  said: Registration,
  condition: Condition,
): Promise<{ stamp: Stamp; created: boolean }> {
  const { clock, stamps, directory } = world;
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const standing = requireNoDropBox(head);
      requireCondition(condition, standing && stampView(standing, clock.real()));
      const now = clock.now();
      const { stamp, event } = register(stampId, standing, said, now, clock.real());
      if (event === undefined) return { stamp: stampView(stamp, clock.real()), created: false };
      if (standing === undefined) await directory.addSender(stampId);
      const settle = await settleStampSoon(world, standing, stamp);
      await stamps.commit(stampId, head, { sender: stamp, events: [{ ...event, actor: actorOf(caller) }] }, now);
      await settle();
      return { stamp: stampView(stamp, clock.real()), created: standing === undefined };
    },
  );
}
