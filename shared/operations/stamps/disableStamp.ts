import type { StampId } from "../../api/primitives.ts";
import { toUtcTime } from "../../api/primitives.ts";
import type { Stamp } from "../../api/stamps.ts";
import type { NewEvent } from "../../domain/event.ts";
import { type DisabledReason, disabled, isDisabledAs, keysAreInDoubt, type StampRecord } from "../../domain/stamp.ts";
import { DomainError } from "../../errors.ts";
import { settleStampSoon } from "../bundles/settleStamp.ts";
import { actorOf, type Caller } from "../caller.ts";
import type { World } from "../needs.ts";
import { requireStamp } from "../refusals.ts";
import { transact } from "../transact.ts";
import { stampView } from "./view.ts";

/** Stops every write of the stamp at once: its created uploads become `canceled`, submitted ones finish. A second disabling replaces the reason. */
export const disableStamp = (world: World, caller: Caller, stampId: StampId, reason: DisabledReason): Promise<Stamp> =>
  change(world, stampId, (stamp) => {
    if (isDisabledAs(stamp, reason)) return undefined;
    return {
      stamp: disabled(stamp, reason),
      event: { type: "stamp.disabled", actor: actorOf(caller), data: { stampId, reason } },
    };
  });

/** Takes a disabling back. Throws `InvalidState` for a stamp that was compromised, until a registration vouches for its keys anew. */
export const enableStamp = (world: World, caller: Caller, stampId: StampId): Promise<Stamp> =>
  change(world, stampId, (standing) => {
    if (standing.state === "enabled") return undefined;
    if (keysAreInDoubt(standing)) throw keysInDoubt();
    const { disabledReason: _taken, ...stamp } = standing;
    return {
      stamp: { ...stamp, state: "enabled" },
      event: { type: "stamp.enabled", actor: actorOf(caller), data: { stampId } },
    };
  });

const keysInDoubt = () =>
  new DomainError(
    "InvalidState",
    "This stamp was compromised, so its keys are in doubt. Register it anew (PUT /stamps/{stampId}) with the keys that you vouch for, then enable it.",
    { details: [{ code: "compromised", message: "No registration has vouched for its keys since it was disabled." }] },
  );

async function change(
  world: World,
  stampId: StampId,
  to: (stamp: StampRecord) => { stamp: StampRecord; event: NewEvent } | undefined,
): Promise<Stamp> {
  const { clock, stamps } = world;
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const standing = requireStamp(head);
      const changed = to(standing);
      if (changed === undefined) return stampView(standing, clock.real());
      const now = clock.now();
      const stamp = { ...changed.stamp, updatedOn: toUtcTime(now) };
      const settle = await settleStampSoon(world, standing, stamp);
      await stamps.commit(stampId, head, { sender: stamp, events: [changed.event] }, now);
      await settle();
      return stampView(stamp, clock.real());
    },
  );
}
