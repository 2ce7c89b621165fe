import { randomUUID } from "node:crypto";
import { terms } from "../../../terms/index.ts";
import type { Bundle, BundleRequest } from "../../api/bundles.ts";
import type { BundleManifest } from "../../api/manifest.ts";
import { type BundleId, toUtcTime, type UtcTime } from "../../api/primitives.ts";
import { type BundleRecord, bundleFacts, keptFacts } from "../../domain/bundle.ts";
import { coveringDecision, isCreatable, requireCreatable } from "../../domain/creation.ts";
import type { CustodyRecord } from "../../domain/custody.ts";
import { type Condition, requireCondition } from "../../domain/etag.ts";
import type { EventData, NewEvent } from "../../domain/event.ts";
import { isRecent } from "../../domain/load.ts";
import { deleteBy } from "../../domain/retention.ts";
import { type StampRecord, stampSkewMs } from "../../domain/stamp.ts";
import { tooManyRequests } from "../../domain/storms.ts";
import { utcDay } from "../../domain/utcDay.ts";
import { DomainError } from "../../errors.ts";
import { actorOf, type SendingCaller } from "../caller.ts";
import { tryLinkClaim } from "../cases/linkClaim.ts";
import { HeadMoved, type StampHead, type World } from "../needs.ts";
import { operatorOf } from "../operator.ts";
import { requireWriter } from "../refusals.ts";
import { requestDigest } from "../requestDigest.ts";
import { transact } from "../transact.ts";
import { creationQuestion, stormRefusalOf } from "./admission.ts";
import { firstLookAfterMs, uploadWork } from "./uploadWork.ts";
import { bundleView, bundleViewFor } from "./view.ts";

/** A bundle as it is asked for. */
export type Creation = {
  readonly request: BundleRequest;
  /** How it came, where it is not its stamp that brings it. */
  readonly custody?: Omit<CustodyRecord, "importedOn">;
  /** What tells it from another creation of the same bundle id. */
  readonly said: BundleRequest | BundleManifest;
};

/** What a stamp asks for itself. */
export const asked = (request: BundleRequest): Creation => ({ request, said: request });

/**
 * Creates a bundle and answers with the URL to upload it to. In this order, so that a crash leaves the safer half: the deadline of
 * whatever may land (invariant 2), the landing container, then the bundle with its event. A container's name is used once, ever, so
 * a repeated create can never bring back a container that an old URL could write to.
 */
export async function createBundle(
  world: World,
  caller: SendingCaller,
  bundleId: BundleId,
  creation: Creation,
  condition: Condition,
): Promise<{ bundle: Bundle; created: boolean }> {
  const { request } = creation;
  requireKnownTerms(request);
  requireSize(request, world.rules.maxBundleBytes);
  requirePast(request, world.clock.now());
  const { stamps } = world;
  const { stampId } = caller;

  const spare: Spare = { of: undefined };
  const result = await transact(
    () => stamps.head(stampId),
    async (head, isFirst) => {
      const stamp = requireWriter(head, caller, world.clock);
      const storm = await stormRefusalOf(world, stamp, request);
      const question = creationQuestion(world, caller, stamp, request);
      // The first try looks for no bundle: a new one costs one call less, and one that is there already refuses the insert. The head tells of a
      // bundle that was just created, so that its repetition makes no container.
      const mayBeNew =
        isFirst &&
        condition.ifMatch === undefined &&
        storm === undefined &&
        isCreatable(question) &&
        !isRecent(stamp.load, bundleId);
      const standing = mayBeNew ? undefined : await stamps.bundle(stampId, bundleId);
      if (standing !== undefined) return await repeated(world, stamp, standing, creation, condition);
      requireCondition(condition, undefined);
      requireCreatable(question);
      if (storm !== undefined) throw tooManyRequests(storm);
      return await insert(world, caller, { head, stamp }, bundleId, creation, spare);
    },
    caller.head,
  ).finally(() => discard(world, spare));
  if (result.created) world.intake.took(request.sizeBytes, world.clock.now());
  if (result.created) await tryLinkClaim(world, actorOf(caller), result.record);
  // The bundle as it was created: whether the claim made a link is not for this answer to tell.
  return {
    bundle: await bundleViewFor(world, caller, result.record, result.stamp, { isNew: result.created }),
    created: result.created,
  };
}

type Created = { readonly record: BundleRecord; readonly stamp: StampRecord; readonly created: boolean };

async function repeated(
  world: World,
  stamp: StampRecord,
  standing: BundleRecord,
  { said }: Creation,
  condition: Condition,
): Promise<Created> {
  requireCondition(condition, bundleView(standing, stamp, world.clock.now()));
  if (standing.requestDigest !== (await requestDigest(world, stamp.stampId, said))) {
    throw new DomainError(
      "BundleConflict",
      "This bundleId names another bundle already. Use a new GUID for a new bundle.",
    );
  }
  return { record: standing, stamp, created: false };
}

/**
 * The bundle of a try that another change of the stamp overtook: its landing container is there, and nobody was given a URL for it. The next try
 * takes it, so that under contention a try costs no more than what it decides on.
 */
type Spare = { of: BundleRecord | undefined };

async function insert(
  world: World,
  caller: SendingCaller,
  { head, stamp }: { readonly head: StampHead; readonly stamp: StampRecord },
  bundleId: BundleId,
  creation: Creation,
  spare: Spare,
): Promise<Created> {
  const { request, said } = creation;
  const { clock, landing, schedule, stamps } = world;
  const now = clock.now();
  const standing = spare.of;
  const digest = await requestDigest(world, caller.stampId, said);
  const due = await world.purgeDates.purgeOn(now);
  const fresh = newBundle(world, stamp, bundleId, creation, { digest, purgeOn: due }, now);
  const record = standing?.account === fresh.account ? { ...fresh, landing: standing.landing } : fresh;
  const operator =
    request.consent === undefined ? undefined : await operatorOf(world, caller.stampId, request.consent.decidedBy);
  if (record === fresh) {
    await discard(world, spare);
    await schedule.remember(uploadWork(record), new Date(now.getTime() + firstLookAfterMs));
    await landing.create(record.account, record.landing);
  }
  spare.of = undefined;
  try {
    const change = { events: [createdEvent(caller, record, operator)], insert: [record] };
    await stamps.commit(caller.stampId, head, change, now);
  } catch (error) {
    if (error instanceof HeadMoved) spare.of = record;
    throw error;
  }
  return { record, stamp, created: true };
}

/** What no try took. */
async function discard({ landing, schedule }: Pick<World, "landing" | "schedule">, spare: Spare): Promise<void> {
  if (spare.of === undefined) return;
  const record = spare.of;
  await landing.delete(record.account, record.landing);
  await schedule.forget(uploadWork(record));
  spare.of = undefined;
}

function newBundle(
  world: Pick<World, "landing" | "tracing">,
  stamp: StampRecord,
  bundleId: BundleId,
  { request, custody }: Creation,
  { digest, purgeOn }: { readonly digest: string; readonly purgeOn: UtcTime },
  now: Date,
): BundleRecord {
  const { consent: _consent, ...asked } = request;
  const { stampId } = stamp;
  const traceId = world.tracing.current();
  return {
    ...asked,
    stampId,
    bundleId,
    state: "created",
    createdOn: toUtcTime(now),
    deleteBy: deleteBy(now),
    purgeOn,
    consentDecision: coveringDecision(stamp, request, randomUUID()),
    links: [],
    ...(custody === undefined ? {} : { custody: { ...custody, importedOn: toUtcTime(now) } }),
    ...(traceId === undefined ? {} : { traceId }),
    requestDigest: digest,
    consentEpoch: stamp.consentEpoch,
    uploadEpoch: stamp.uploadEpoch,
    account: world.landing.place(stampId, stamp.geography),
    landing: world.landing.containerName({ stampId, bundleId, attempt: randomUUID(), day: utcDay(now) }),
  };
}

function createdEvent(caller: SendingCaller, record: BundleRecord, operator: string | undefined): NewEvent {
  const { decisionId, basis, purposes, termsVersion } = record.consentDecision;
  return {
    type: "bundle.created",
    actor: actorOf(caller),
    data: {
      ...bundleFacts(record),
      ...keptFacts(record),
      toState: record.state,
      mode: record.mode,
      decisionId,
      basis,
      purposes,
      termsVersion,
      ...(operator === undefined ? {} : { decidedBy: operator }),
      ...(record.trigger === undefined ? {} : triggerFacts(record.trigger)),
      ...(record.custody === undefined ? {} : custodyFacts(record.custody)),
    },
  };
}

const custodyFacts = ({ signedOn, keyId, carriedBy }: CustodyRecord): EventData => ({ signedOn, keyId, carriedBy });

/** The list of faults is open, so an id may be any text; what is no code is on the bundle's row only (invariant 9). */
const triggerFacts = ({ faultId, raisedOn }: NonNullable<BundleRecord["trigger"]>): EventData => ({
  raisedOn,
  ...(/^[\w.-]+$/.test(faultId) ? { faultId } : {}),
});

/** What was saved locally may have been consented to under terms that have been replaced since. */
function requireKnownTerms(request: BundleRequest): void {
  const version = request.consent?.termsVersion;
  if (version === undefined || terms.some((each) => each.version === version)) return;
  throw new DomainError("InvalidBody", `There are no terms of that version. GET /terms lists those there are.`, {
    target: "/consent/termsVersion",
  });
}

function requireSize(request: BundleRequest, most: number): void {
  if (request.sizeBytes <= most) return;
  throw new DomainError(
    "InvalidBody",
    `A bundle may have at most ${most} bytes. Collect fewer roles or a shorter window.`,
    {
      target: "/sizeBytes",
    },
  );
}

function requirePast({ trigger }: BundleRequest, now: Date): void {
  if (trigger === undefined || Date.parse(trigger.raisedOn) <= now.getTime() + stampSkewMs) return;
  throw new DomainError(
    "InvalidBody",
    "The trigger lies in the future. Set the stamp's clock, then send the trigger's own time.",
    {
      target: "/trigger/raisedOn",
    },
  );
}
