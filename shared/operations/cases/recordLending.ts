import { type BundleId, type CaseNumber, type GrantId, type StampId, toUtcTime } from "../../api/primitives.ts";
import { requireApproved } from "../../domain/approval.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import type { CaseRecord } from "../../domain/case.ts";
import { bundleIn, type GrantRecord } from "../../domain/grant.ts";
import { requireActiveGrant, requireLendable, requireNotEnded } from "../../domain/lending.ts";
import { shownPurgeOn } from "../../domain/purge.ts";
import { lendsRole } from "../../domain/roles.ts";
import { asStamp, type SenderRecord } from "../../domain/sender.ts";
import { DomainError } from "../../errors.ts";
import { actorOf, type TokenCaller } from "../caller.ts";
import type { StampHead, World } from "../needs.ts";
import { noSuchGrant } from "../refusals.ts";
import { transact } from "../transact.ts";
import { accessOf, type UnderGrant } from "./accessOf.ts";
import { requireKnown } from "./view.ts";

/** Minutes that a read URL lives, at the most; never past the end of its grant (invariant 5). */
const urlMinutes = 15;

export type LentThing = {
  readonly stampId: StampId;
  readonly bundleId: BundleId;
  /** One file of the bundle, by the salted digest of its path; absent for the whole. */
  readonly file?: { readonly pathDigest: string; readonly role: string | undefined };
};

type AtGrant = { readonly caseNumber: CaseNumber; readonly grantId: GrantId };

/**
 * Decides whether the caller may read the thing under the grant, and writes down that they will. Both events are committed before any URL is
 * signed: `bundle.accessed` in the stamp's partition, under the head that the bundle was judged by, then `url.issued` in the case's, under the
 * head that case and grant were judged by. A crash between leaves an access that was recorded and not given.
 */
export async function recordLending(
  world: World,
  caller: TokenCaller,
  at: AtGrant,
  thing: LentThing,
): Promise<{ bundle: BundleRecord; expiresOn: Date }> {
  const { cases, clock } = world;
  // A try that another change of the case overtook has recorded its access: the next one asks the rules again and records nothing more.
  let isRecorded = false;
  return await transact(
    () => cases.head(at.caseNumber),
    async (head) => {
      const record = requireKnown(head, caller);
      const grant = await cases.grant(at.caseNumber, at.grantId);
      if (grant === undefined) throw noSuchGrant();
      requireActiveGrant(grant, record, caller.subject, clock.now());
      const bundle = await recordAccess(world, caller, record, grant, thing, isRecorded);
      isRecorded = true;
      const now = clock.now();
      const expiresOn = urlExpiry(world, grant, bundle, now);
      const { stampId, bundleId } = thing;
      const event = {
        type: "url.issued",
        actor: actorOf(caller),
        data: { ...at, stampId, bundleId, ...digestIn(thing), purpose: grant.purpose, expiresOn: toUtcTime(expiresOn) },
      } as const;
      await cases.commit(at.caseNumber, head, { events: [event] }, now);
      return { bundle, expiresOn };
    },
  );
}

const digestIn = ({ file }: LentThing) => (file === undefined ? {} : { pathDigest: file.pathDigest });

/** Decides on the bundle under its stamp's head, and writes down who gets it. */
async function recordAccess(
  world: World,
  caller: TokenCaller,
  record: CaseRecord,
  grant: GrantRecord,
  thing: LentThing,
  isRecorded: boolean,
): Promise<BundleRecord> {
  const { stamps, clock } = world;
  const { stampId, bundleId } = thing;
  const under = { record, grant, stampId, bundleId };
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const now = clock.now();
      const lent = await requireLentNow(world, head, under, now);
      requireRoleGranted(grant, thing);
      if (isRecorded) return lent;
      const { access, event } = accessOf("read", caller, under, lent, now, digestIn(thing));
      // The row remembers that parts of it may lie elsewhere, before one does: its purge looks there.
      const marks = thing.file !== undefined && lent.isLentInParts !== true;
      const update = marks ? { update: [{ from: lent, to: { ...lent, isLentInParts: true as const } }] } : {};
      await stamps.commit(stampId, head, { events: [event], access, ...update }, now);
      return lent;
    },
  );
}

/** The bundle, where the grant, which is active in its case, lends it now by all that stands in the stamp's partition. */
export async function requireLentNow(
  { stamps }: Pick<World, "stamps">,
  head: StampHead,
  { record, grant, stampId, bundleId }: UnderGrant,
  now: Date,
): Promise<BundleRecord> {
  const found = await stamps.bundle(stampId, bundleId);
  const bundle = inGrant(grant, found);
  if (bundle !== undefined) {
    requireStampAsGranted(grant, bundle, head.state);
    const asked = grant.approval === undefined ? undefined : await stamps.request(stampId, grant.grantId);
    requireApproved(grant, stampId, asStamp(head.state), asked);
  }
  const lent = requireLendable({ case: record, stampId, bundle, sender: head.state, purpose: grant.purpose, now });
  requireNotEnded(grant);
  return lent;
}

/** Disabling a stamp ends what was lent of it before, also once it is enabled again. */
function requireStampAsGranted(grant: GrantRecord, bundle: BundleRecord, sender: SenderRecord | undefined): void {
  if (bundleIn(grant, bundle)?.stampEpoch === sender?.uploadEpoch) return;
  throw new DomainError(
    "GrantNotActive",
    "The stamp was disabled after the grant was given. Ask for a new grant if the case still needs it.",
    {
      details: [{ code: "stampDisabled", message: "The grant no longer lends this stamp's bundles." }],
    },
  );
}

/** A grant of some roles lends their zips and what is in them, and never the whole bundle. */
function requireRoleGranted({ roles }: GrantRecord, { file }: LentThing): void {
  if (roles === undefined || (file !== undefined && lendsRole(roles, file.role))) return;
  if (file !== undefined) throw roleNotGranted(roles);
  throw new DomainError(
    "RoleNotGranted",
    `The grant lends the files of ${roles.join(", ")} only, not the whole bundle. Read single files (POST …/files:extract), or ask for a grant without roles.`,
  );
}

export const roleNotGranted = (roles: readonly string[]): DomainError =>
  new DomainError(
    "RoleNotGranted",
    `The grant lends the files of ${roles.join(", ")} only, and none of them has this path. Check the path, or ask for a grant with the file's role.`,
  );

/** A bundle outside the grant is refused as one that is not linked is. */
const inGrant = (grant: GrantRecord, bundle: BundleRecord | undefined): BundleRecord | undefined =>
  bundle !== undefined && bundleIn(grant, bundle) !== undefined ? bundle : undefined;

/** In real time: what is left of the grant, of the bundle's time, or fifteen minutes, whichever is least. */
function urlExpiry(world: Pick<World, "clock">, grant: GrantRecord, bundle: BundleRecord, now: Date): Date {
  const ends = [grant.expiresOn, shownPurgeOn(bundle)].map((end) => Date.parse(end) - now.getTime());
  const leftMs = Math.min(urlMinutes * 60_000, ...ends);
  if (leftMs <= 0)
    throw new DomainError("GrantNotActive", "The grant has just ended. Ask for a new one if the case still needs it.");
  return new Date(world.clock.real().getTime() + leftMs);
}
