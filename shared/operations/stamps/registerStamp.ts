import type { StampId } from "../../api/primitives.ts";
import type { Registration, Stamp } from "../../api/stamps.ts";
import { requireMatch } from "../../domain/etag.ts";
import { register } from "../../domain/registration.ts";
import { settleStampSoon } from "../bundles/settleStamp.ts";
import { actorOf, type Caller, type Condition } from "../caller.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";
import { stampView } from "./view.ts";

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
      const standing = head.state;
      requireMatch(condition.ifMatch, standing && stampView(standing, clock.real()));
      const now = clock.now();
      const { stamp, event } = register(stampId, standing, said, now, clock.real());
      if (event === undefined) return { stamp: stampView(stamp, clock.real()), created: false };
      if (standing === undefined) await directory.addStamp(stampId);
      const settle = await settleStampSoon(world, standing, stamp);
      await stamps.commit(stampId, head, { stamp, events: [{ ...event, actor: actorOf(caller) }] }, now);
      await settle();
      return { stamp: stampView(stamp, clock.real()), created: standing === undefined };
    },
  );
}
