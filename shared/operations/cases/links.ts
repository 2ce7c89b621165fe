import type { Link } from "../../api/cases.ts";
import { type BundleId, type CaseNumber, type StampId, toUtcTime } from "../../api/primitives.ts";
import { type CaseRecord, listsSender } from "../../domain/case.ts";
import { type Condition, requireCondition } from "../../domain/etag.ts";
import type { Actor, NewEvent } from "../../domain/event.ts";
import { DomainError } from "../../errors.ts";
import { actorOf, type TokenCaller } from "../caller.ts";
import type { LinkRecord, World } from "../needs.ts";
import { invalidState, noSuchBundle, noSuchCase } from "../refusals.ts";
import { transact } from "../transact.ts";
import { reconsiderBundle } from "./closedCases.ts";
import { requireKnown } from "./view.ts";

/**
 * A link stands in two partitions: the case's is the one that is shown, the bundle's own the one that lending asks. A link is made in the
 * case first, an unlinking in the bundle first, so that a crash between leaves a bundle that is not lent.
 */

export type LinkPlace = { readonly caseNumber: CaseNumber; readonly stampId: StampId; readonly bundleId: BundleId };

const shown = ({ caseNumber }: LinkPlace, { stampId, bundleId, linkedOn }: LinkRecord): Link => ({
  caseNumber,
  stampId,
  bundleId,
  linkedOn,
});

/** Links on the word of a person or the case system; to an engineer who is not assigned there is no such case. */
export async function linkByRequest(world: World, caller: TokenCaller, place: LinkPlace, condition: Condition) {
  requireKnown(await world.cases.head(place.caseNumber), caller);
  return await linkBundle(world, actorOf(caller), place, condition);
}

export async function unlinkByRequest(world: World, caller: TokenCaller, place: LinkPlace): Promise<void> {
  requireKnown(await world.cases.head(place.caseNumber), caller);
  await unlinkBundle(world, actorOf(caller), place);
}

export async function linkBundle(
  world: World,
  actor: Actor,
  place: LinkPlace,
  condition: Condition,
  alsoClosed = false,
): Promise<{ link: Link; created: boolean }> {
  const { schedule, clock } = world;
  const now = clock.now();
  const work = { kind: "link", ...place, dueOn: toUtcTime(now) } as const;
  const linked = await linkInCase(world, actor, place, { condition, alsoClosed }, () => schedule.remember(work, now));
  await finishLink(world, actor, place);
  await schedule.forget(work);
  return { link: shown(place, linked.link), created: linked.created };
}

async function linkInCase(
  world: World,
  actor: Actor,
  place: LinkPlace,
  { condition, alsoClosed }: { readonly condition: Condition; readonly alsoClosed: boolean },
  beforeAnyChange: () => Promise<void>,
): Promise<{ link: LinkRecord; created: boolean }> {
  const { cases, clock, stamps } = world;
  const { caseNumber, stampId, bundleId } = place;
  return await transact(
    () => cases.head(caseNumber),
    async (head) => {
      const record = requireListed(head.state, stampId, alsoClosed);
      const bundle = await stamps.bundle(stampId, bundleId);
      if (bundle === undefined) throw noSuchBundle();
      const standing = await cases.link(caseNumber, stampId, bundleId);
      requireCondition(condition, standing && shown(place, standing));
      if (standing === undefined && bundle.state === "purged")
        throw invalidState("purged", "The bundle's bytes are deleted already; there is nothing to link.");
      // A repetition too may write the bundle's row, and die before it asks whether the link still stands.
      await beforeAnyChange();
      if (standing !== undefined) return { link: standing, created: false };
      const now = clock.now();
      const link = { stampId, bundleId, linkedOn: toUtcTime(now) };
      const event: NewEvent = { type: "bundle.linked", actor, data: { ...place } };
      await cases.commit(record.caseNumber, head, { events: [event], insertLink: link }, now);
      return { link, created: true };
    },
  );
}

function requireListed(record: CaseRecord | undefined, stampId: StampId, alsoClosed: boolean): CaseRecord {
  if (record === undefined) throw noSuchCase();
  if (record.state !== "open" && !alsoClosed)
    throw new DomainError("CaseNotOpen", "The case is closed. Links are made and removed on open cases only.");
  if (!listsSender(record, stampId)) {
    throw new DomainError("StampNotOnCase", "The case does not list this stamp. Ask the case system to add it first.");
  }
  return record;
}

async function addCaseToBundle(
  world: World,
  actor: Actor,
  { caseNumber, stampId, bundleId }: LinkPlace,
  link: LinkRecord,
): Promise<void> {
  const { stamps, clock } = world;
  await transact(
    () => stamps.head(stampId),
    async (head) => {
      const bundle = await stamps.bundle(stampId, bundleId);
      if (bundle === undefined || bundle.links.some((each) => each.caseNumber === caseNumber)) return;
      const next = { ...bundle, links: [...bundle.links, { caseNumber, linkedOn: link.linkedOn }] };
      const event: NewEvent = { type: "bundle.caseAdded", actor, data: { stampId, bundleId, caseNumber } };
      await stamps.commit(
        stampId,
        head,
        { events: [event], update: [{ from: bundle, to: next }], lentTo: caseNumber },
        clock.now(),
      );
    },
  );
}

async function unlinkBundle(world: World, actor: Actor, place: LinkPlace): Promise<void> {
  const { cases, clock } = world;
  const { caseNumber, stampId, bundleId } = place;
  const record = (await cases.head(caseNumber)).state;
  if (record === undefined) throw noSuchCase();
  if ((await cases.link(caseNumber, stampId, bundleId)) === undefined) return;
  if (record.state !== "open")
    throw new DomainError("CaseNotOpen", "The case is closed. Links are made and removed on open cases only.");
  await removeCaseFromBundle(world, actor, place);
  await transact(
    () => cases.head(caseNumber),
    async (head) => {
      const link = await cases.link(caseNumber, stampId, bundleId);
      if (link === undefined) return;
      const event: NewEvent = { type: "bundle.unlinked", actor, data: { ...place } };
      await cases.commit(caseNumber, head, { events: [event], removeLink: link }, clock.now());
    },
  );
  // Whoever was linking meanwhile may have added the case to the bundle after the first removal.
  await removeCaseFromBundle(world, actor, place);
  await reconsiderBundle(world, place);
}

async function removeCaseFromBundle(
  world: World,
  actor: Actor,
  { caseNumber, stampId, bundleId }: LinkPlace,
): Promise<void> {
  const { stamps, clock } = world;
  await transact(
    () => stamps.head(stampId),
    async (head) => {
      const bundle = await stamps.bundle(stampId, bundleId);
      if (!bundle?.links.some((each) => each.caseNumber === caseNumber)) return;
      const next = { ...bundle, links: bundle.links.filter((each) => each.caseNumber !== caseNumber) };
      const event: NewEvent = { type: "bundle.caseRemoved", actor, data: { stampId, bundleId, caseNumber } };
      await stamps.commit(stampId, head, { events: [event], update: [{ from: bundle, to: next }] }, clock.now());
    },
  );
}

/** Brings the bundle's own list up to the link as it stands in the case; asks once more afterwards, as it may have been unlinked meanwhile. */
export async function finishLink(world: World, actor: Actor, place: LinkPlace): Promise<void> {
  const read = () => world.cases.link(place.caseNumber, place.stampId, place.bundleId);
  const link = await read();
  if (link !== undefined) await addCaseToBundle(world, actor, place, link);
  if ((await read()) === undefined) await removeCaseFromBundle(world, actor, place);
  await reconsiderBundle(world, place);
}
