import type { Grant, GrantRequest } from "../../api/cases.ts";
import { type CaseNumber, type GrantId, type StampId, toUtcTime } from "../../api/primitives.ts";
import { lapsesOn } from "../../domain/approval.ts";
import type { CaseRecord } from "../../domain/case.ts";
import { type Condition, requireCondition } from "../../domain/etag.ts";
import type { NewEvent } from "../../domain/event.ts";
import { bundleSet, type GrantRecord, grantEnd, grantExpiry, isPending, roleSet } from "../../domain/grant.ts";
import { requireLendable } from "../../domain/lending.ts";
import type { Note } from "../../domain/people.ts";
import { asStamp } from "../../domain/sender.ts";
import { DomainError } from "../../errors.ts";
import { finishApproval, grantActivated } from "../approvals/finishApproval.ts";
import { mapBounded, take } from "../bounded.ts";
import { actorOf, type Caller, type TokenCaller } from "../caller.ts";
import type { CaseHead, World } from "../needs.ts";
import { newNote, noteDigest } from "../note.ts";
import { type PageRequest, type PageResult, pageResult } from "../paging.ts";
import { noSuchCase, noSuchGrant, noSuchStamp } from "../refusals.ts";
import { transact } from "../transact.ts";
import { grantEnded } from "./settleCase.ts";
import { grantView, requireKnown } from "./view.ts";

/**
 * Gives the engineer a grant where each bundle could be lent right now: active at once, or, where stamps want their operators to approve, waiting
 * for that. The same request again gives the same grant.
 */
export async function putGrant(
  world: World,
  caller: TokenCaller,
  caseNumber: CaseNumber,
  grantId: GrantId,
  said: GrantRequest,
  condition: Condition,
): Promise<{ grant: Grant; created: boolean }> {
  const put = await putInCase(world, caller, caseNumber, grantId, said, condition);
  const end =
    put.grant.state === "pendingApproval" ? await finishApproval(world, caseNumber, grantId) : put.grant.ended?.reason;
  if (end === "grantConflict") throw grantConflict();
  return put;
}

const grantConflict = () =>
  new DomainError("GrantConflict", "This grantId names another grant already. Use a new GUID for a new grant.");

async function putInCase(
  world: World,
  caller: TokenCaller,
  caseNumber: CaseNumber,
  grantId: GrantId,
  said: GrantRequest,
  condition: Condition,
): Promise<{ grant: Grant; created: boolean }> {
  const { cases, clock } = world;
  return await transact(
    () => cases.head(caseNumber),
    async (head) => {
      const record = requireKnown(head, caller);
      const standing = await cases.grant(caseNumber, grantId);
      const view = standing && (await grantView(world, standing, record, clock.now()));
      requireCondition(condition, view);
      if (standing !== undefined && view !== undefined) {
        if (isSameRequest(standing, view, caller, said)) return { grant: view, created: false };
        throw grantConflict();
      }
      const lent = await requireAllLendable(world, record, said);
      await requireNeverAsked(world, lent.approving, grantId);
      const now = clock.now();
      const justification = newNote(said.justification);
      await world.people.wrote(caller.subject, { partition: head.partition, noteId: justification.noteId });
      const grant = newGrant(record, caller, { grantId, said, lent, justification }, now);
      const given = isPending(grant) ? grantRequested(grant) : grantActivated(grant);
      const event: NewEvent = { ...given, actor: actorOf(caller) };
      await rememberEnds(world, grant, now);
      await cases.commit(caseNumber, head, { events: [event], insertGrant: grant, notes: [justification] }, now);
      return { grant: await grantView(world, grant, record, now), created: true };
    },
  );
}

/**
 * Throws `GrantConflict` where one of the stamps was asked under that id before, by another case or for a grant that is lost. Of two that ask at once
 * a stamp keeps the first, and `finishApproval` ends the other.
 */
async function requireNeverAsked(
  { stamps }: Pick<World, "stamps">,
  stampIds: readonly StampId[],
  grantId: GrantId,
): Promise<void> {
  const asked = await mapBounded(stampIds, 8, (stampId) => stamps.request(stampId, grantId));
  if (asked.some((each) => each !== undefined)) throw grantConflict();
}

/** Looks that are to come: when its time ends, and, where it needs approval, at once and when that lapses. */
async function rememberEnds({ schedule }: World, grant: GrantRecord, now: Date): Promise<void> {
  const { caseNumber, grantId, expiresOn } = grant;
  await schedule.remember({ kind: "case", caseNumber, dueOn: expiresOn }, new Date(expiresOn));
  if (!isPending(grant)) return;
  await schedule.remember({ kind: "approval", caseNumber, grantId, dueOn: toUtcTime(now) }, now);
  await schedule.remember({ kind: "approval", caseNumber, grantId, dueOn: expiresOn }, new Date(expiresOn));
}

const grantRequested = (grant: GrantRecord): Omit<NewEvent, "actor"> => {
  const { startsOn: _notYet, expiresOn, ...data } = grantActivated(grant).data;
  return {
    type: "grant.requested",
    data: { ...data, approvalOf: grant.approval?.stampIds ?? [], lapsesOn: expiresOn ?? "" },
  };
};

function isSameRequest(standing: GrantRecord, view: Grant, caller: TokenCaller, said: GrantRequest): boolean {
  return (
    standing.grantee === caller.subject &&
    standing.purpose === said.purpose &&
    standing.durationMinutes === said.durationMinutes &&
    view.justification === said.justification &&
    bundleSet(standing.bundles) === bundleSet(said.bundles) &&
    roleSet(standing.roles) === roleSet(said.roles)
  );
}

type Lent = { readonly bundles: GrantRecord["bundles"]; readonly approving: readonly StampId[] };

/** Each bundle with its stamp's epoch, and the stamps whose operators have to approve. */
async function requireAllLendable(world: World, record: CaseRecord, said: GrantRequest): Promise<Lent> {
  const now = world.clock.now();
  const asked = await mapBounded(said.bundles, 8, async ({ stampId, bundleId }) => ({
    stampId,
    bundleId,
    stamp: (await world.stamps.head(stampId)).state,
    bundle: await world.stamps.bundle(stampId, bundleId),
  }));
  const approving = new Set<StampId>();
  const bundles = asked.map(({ stampId, bundleId, stamp, bundle }) => {
    requireLendable({ case: record, stampId, bundle, sender: stamp, purpose: said.purpose, now });
    if (stamp === undefined) throw noSuchStamp();
    if (asStamp(stamp)?.accessApproval?.mode === "required") approving.add(stampId);
    return { stampId, bundleId, stampEpoch: stamp.uploadEpoch };
  });
  return { bundles, approving: [...approving] };
}

type Asked = {
  readonly grantId: GrantId;
  readonly said: GrantRequest;
  readonly lent: Lent;
  readonly justification: Note;
};

function newGrant(
  record: CaseRecord,
  caller: TokenCaller,
  { grantId, said, lent, justification }: Asked,
  now: Date,
): GrantRecord {
  const assignment = record.assignees.find((each) => each.subjectId === caller.subject);
  if (assignment === undefined) throw noSuchCase();
  const isApproved = lent.approving.length === 0;
  const requestedOn = toUtcTime(now);
  const lapse = lapsesOn(now);
  return {
    grantId,
    caseNumber: record.caseNumber,
    grantee: caller.subject,
    purpose: said.purpose,
    justificationNote: justification.noteId,
    justificationDigest: noteDigest(justification),
    bundles: lent.bundles,
    ...(said.roles === undefined ? {} : { roles: said.roles }),
    durationMinutes: said.durationMinutes,
    startsOn: requestedOn,
    expiresOn: isApproved ? grantExpiry(now, said.durationMinutes) : lapse,
    ...(isApproved ? {} : { approval: { stampIds: [...lent.approving], requestedOn, lapsesOn: lapse } }),
    openEpoch: record.openEpoch,
    assigneeEpoch: assignment.epoch,
  };
}

/** Ends a grant before its time: the grantee may, and the case system. Repeating it changes nothing. */
export async function revokeGrant(
  world: World,
  caller: TokenCaller,
  caseNumber: CaseNumber,
  grantId: GrantId,
): Promise<Grant> {
  const { cases, clock } = world;
  const revoked = await transact(
    () => cases.head(caseNumber),
    async (head) => {
      const { record, grant } = await readKnown(world, head, caller, grantId);
      if (caller.role === "E" && grant.grantee !== caller.subject) {
        throw new DomainError(
          "NotTheGrantee",
          "The grant is another engineer's. Only its grantee or the case system can revoke it.",
        );
      }
      const now = clock.now();
      if (grantEnd(grant, record, now) !== undefined) return await grantView(world, grant, record, now);
      const revoked: GrantRecord = { ...grant, ended: { on: toUtcTime(now), reason: "revoked" } };
      const event = { ...grantEnded(revoked), actor: actorOf(caller) };
      await cases.commit(caseNumber, head, { events: [event], endGrants: [revoked] }, now);
      return await grantView(world, revoked, record, now);
    },
  );
  if (revoked.approval !== undefined) await finishApproval(world, caseNumber, grantId);
  return revoked;
}

export async function readGrant(
  world: World,
  caller: Caller,
  caseNumber: CaseNumber,
  grantId: GrantId,
): Promise<Grant> {
  const { record, grant } = await readKnown(world, await world.cases.head(caseNumber), caller, grantId);
  return await grantView(world, grant, record, world.clock.now());
}

export async function listGrants(
  world: World,
  caller: Caller,
  caseNumber: CaseNumber,
  page: PageRequest,
): Promise<PageResult<Grant>> {
  const record = requireKnown(await world.cases.head(caseNumber), caller);
  const { taken, more } = await take(world.cases.grants(caseNumber, page.after), page.top);
  const views = await mapBounded(taken, 16, ({ item }) => grantView(world, item, record, world.clock.now()));
  return pageResult(views, taken, more);
}

async function readKnown(world: Pick<World, "cases">, head: CaseHead, caller: Caller, grantId: GrantId) {
  const record = requireKnown(head, caller);
  const grant = await world.cases.grant(record.caseNumber, grantId);
  if (grant === undefined) throw noSuchGrant();
  return { record, grant };
}
