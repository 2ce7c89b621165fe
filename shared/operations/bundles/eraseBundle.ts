import type { Bundle, ErasureRequest } from "../../api/bundles.ts";
import { type BundleId, type StampId, toUtcTime } from "../../api/primitives.ts";
import { type BundleRecord, bundleFacts, endedBy } from "../../domain/bundle.ts";
import type { Actor, NewEvent } from "../../domain/event.ts";
import type { SenderRecord } from "../../domain/sender.ts";
import { actorOf, type StampCaller } from "../caller.ts";
import { endGrantsSoon } from "../cases/settleCase.ts";
import type { StampHead, World } from "../needs.ts";
import { newNote, noteDigest } from "../note.ts";
import { operatorOf } from "../operator.ts";
import { invalidState, noSuchBundle, requireWriter } from "../refusals.ts";
import { transact } from "../transact.ts";
import { purgeEarly } from "./purgeEarly.ts";
import { bundleView } from "./view.ts";

/** On whose word bundles of a sender are deleted: a stamp's own, or, for a drop box, which has no key, somebody's who speaks for it. */
export type Eraser = {
  readonly stampId: StampId;
  readonly actor: Actor;
  /** The sender's head, where it has been read. */
  readonly head?: StampHead;
  /** The sender, or why there is none that the caller may speak for. */
  readonly requireSender: (head: StampHead) => SenderRecord;
};

export const asItself = ({ clock }: Pick<World, "clock">, caller: StampCaller): Eraser => ({
  stampId: caller.stampId,
  actor: actorOf(caller),
  head: caller.head,
  requireSender: (head) => requireWriter(head, caller, clock),
});

/**
 * The operator's explicit wish to have a bundle deleted before its time. From the commit on it is lent no more; its bytes go after
 * `ERASE_DELAY_HOURS`, or before the answer where that is 0.
 */
export async function eraseBundle(
  world: World,
  eraser: Eraser,
  bundleId: BundleId,
  said: ErasureRequest,
): Promise<Bundle> {
  const { clock, rules, schedule, stamps } = world;
  const { stampId, actor } = eraser;
  const operator = await operatorOf(world, stampId, said.decidedBy);
  const asked = await transact(
    () => stamps.head(stampId),
    async (head) => {
      const { sender, bundle } = await read(world, eraser, head, bundleId);
      if (bundle.erasure !== undefined) return { sender, bundle };
      const state = endedBy(bundle, sender, clock.now()) ?? bundle.state;
      if (state !== "submitted" && state !== "accepted") throw invalidState(state, advice(state));
      const now = clock.now();
      const dueOn = new Date(now.getTime() + rules.eraseDelayHours * 3_600_000);
      const reason = newNote(said.reason);
      await world.people.wrote(operator, { partition: head.partition, noteId: reason.noteId });
      const erasure = {
        requestedOn: toUtcTime(now),
        dueOn: toUtcTime(dueOn),
        requestedBy: operator,
        reasonNote: reason.noteId,
      };
      const next: BundleRecord = { ...bundle, erasure };
      const event: NewEvent = {
        type: "bundle.erasureRequested",
        actor,
        data: { ...bundleFacts(bundle), dueOn: erasure.dueOn, decidedBy: operator, reasonDigest: noteDigest(reason) },
      };
      await schedule.purgeEarlyAt({ stampId, bundleId, basis: "erasure", dueOn: erasure.dueOn });
      const endTheirs = await endGrantsSoon(world, [bundle]);
      await stamps.commit(
        stampId,
        head,
        { events: [event], update: [{ from: bundle, to: next }], notes: [reason] },
        now,
      );
      await endTheirs();
      return { sender, bundle: next };
    },
    eraser.head,
  );
  const standing = rules.eraseDelayHours === 0 ? await purgeEarly(world, stampId, bundleId) : asked.bundle;
  return bundleView(standing ?? asked.bundle, asked.sender, clock.now());
}

/** Takes an erasure back that has not been carried out. */
export async function cancelErasure(
  world: World,
  eraser: Eraser,
  bundleId: BundleId,
  said: ErasureRequest,
): Promise<Bundle> {
  const { clock, schedule, stamps } = world;
  const { stampId, actor } = eraser;
  const operator = await operatorOf(world, stampId, said.decidedBy);
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const { sender, bundle } = await read(world, eraser, head, bundleId);
      const now = clock.now();
      const { erasure: taken, ...next } = bundle;
      const pending = taken !== undefined && bundle.purge === undefined && now.getTime() < Date.parse(taken.dueOn);
      if (!pending)
        throw invalidState(bundle.state, "No erasure of this bundle is pending, so there is nothing to take back.");
      const reason = newNote(said.reason);
      await world.people.wrote(operator, { partition: head.partition, noteId: reason.noteId });
      const event: NewEvent = {
        type: "bundle.erasureCanceled",
        actor,
        data: { ...bundleFacts(bundle), decidedBy: operator, reasonDigest: noteDigest(reason) },
      };
      await stamps.commit(
        stampId,
        head,
        { events: [event], update: [{ from: bundle, to: next }], notes: [reason] },
        now,
      );
      await schedule.forgetEarly({ stampId, bundleId, basis: "erasure", dueOn: taken.dueOn });
      return bundleView(next, sender, now);
    },
    eraser.head,
  );
}

async function read({ stamps }: Pick<World, "stamps">, eraser: Eraser, head: StampHead, bundleId: BundleId) {
  const sender = eraser.requireSender(head);
  const bundle = await stamps.bundle(eraser.stampId, bundleId);
  if (bundle === undefined) throw noSuchBundle();
  return { sender, bundle };
}

const advice = (state: string): string =>
  state === "created"
    ? "The bundle was not submitted: cancel it instead (POST …:cancel)."
    : `The bundle is ${state}: its bytes are deleted already or just being deleted.`;
