import type { KeyRotation, Stamp } from "../../api/stamps.ts";
import { rotateKey as rotated } from "../../domain/registration.ts";
import { actorOf, type StampCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { requireWriter } from "../refusals.ts";
import { transact } from "../transact.ts";
import { stampView } from "./view.ts";

/** Adds a key that the stamp has proven to hold, and may retire the one that signed. Its proof is verified at the edge. */
export async function rotateKey(
  world: Pick<World, "clock" | "stamps">,
  caller: StampCaller,
  said: KeyRotation,
): Promise<Stamp> {
  const { clock, stamps } = world;
  return await transact(
    () => stamps.head(caller.stampId),
    async (head) => {
      const standing = requireWriter(head, caller, clock);
      const { stamp, event } = rotated(standing, caller.keyId, said, clock.now(), clock.real());
      if (event !== undefined) {
        await stamps.commit(
          caller.stampId,
          head,
          { sender: stamp, events: [{ ...event, actor: actorOf(caller) }] },
          clock.now(),
        );
      }
      return stampView(stamp, clock.real());
    },
    caller.head,
  );
}
