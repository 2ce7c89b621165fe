import type { Grant, GrantRequest } from "../../api/cases.ts";
import { type CaseNumber, type GrantId, toUtcTime } from "../../api/primitives.ts";
import type { CaseRecord } from "../../domain/case.ts";
import { requireMatch } from "../../domain/etag.ts";
import type { NewEvent } from "../../domain/event.ts";
import { bundleSet, type GrantRecord, grantEnd, grantExpiry, roleSet } from "../../domain/grant.ts";
import { requireLendable } from "../../domain/lending.ts";
import { isCompromised } from "../../domain/sender.ts";
import { DomainError } from "../../errors.ts";
import { mapBounded, take } from "../bounded.ts";
import { actorOf, type Caller, type Condition, type TokenCaller } from "../caller.ts";
import type { CaseHead, World } from "../needs.ts";
import { newNote, noteDigest } from "../note.ts";
import { type PageRequest, type PageResult, pageResult } from "../paging.ts";
import { noSuchCase, noSuchGrant } from "../refusals.ts";
import { transact } from "../transact.ts";
import { grantEnded } from "./settleCase.ts";
import { grantView, requireKnown } from "./view.ts";

/** Gives the engineer a grant, active at once, where each bundle could be lent right now. The same request again gives the same grant. */
export async function putGrant(
  world: World,
  caller: TokenCaller,
  caseNumber: CaseNumber,
  grantId: GrantId,
  said: GrantRequest,
  condition: Condition,
): Promise<{ grant: Grant; created: boolean }> {
  const { cases, clock, schedule } = world;
  return await transact(
    () => cases.head(caseNumber),
    async (head) => {
      const record = requireKnown(head, caller);
      const standing = await cases.grant(caseNumber, grantId);
      const view = standing && (await grantView(world, standing, record, clock.now()));
      requireMatch(condition.ifMatch, view);
      if (standing !== undefined && view !== undefined) {
        if (isSameRequest(standing, view, caller, said)) return { grant: view, created: false };
        throw new DomainError(
          "GrantConflict",
          "This grantId names another grant already. Use a new GUID for a new grant.",
        );
      }
      const lent = await requireAllLendable(world, record, said);
      const now = clock.now();
      const justification = newNote(said.justification);
      await world.people.wrote(caller.subject, { partition: head.partition, noteId: justification.noteId });
      const grant = newGrant(record, caller, { grantId, said, lent, justificationNote: justification.noteId }, now);
      const event: NewEvent = {
        type: "grant.activated",
        actor: actorOf(caller),
        data: {
          caseNumber,
          grantId,
          grantee: grant.grantee,
          purpose: grant.purpose,
          bundles: grant.bundles.map((each) => `${each.stampId}/${each.bundleId}`),
          ...(grant.roles === undefined ? {} : { roles: grant.roles }),
          startsOn: grant.startsOn,
          expiresOn: grant.expiresOn,
          justificationDigest: noteDigest(justification),
        },
      };
      await schedule.remember({ kind: "case", caseNumber, dueOn: grant.expiresOn }, new Date(grant.expiresOn));
      await cases.commit(caseNumber, head, { events: [event], insertGrant: grant, notes: [justification] }, now);
      return { grant: await grantView(world, grant, record, now), created: true };
    },
  );
}

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

/** Each bundle with its stamp's epoch. A compromised stamp's bundles are lent to nobody: what is in them may not be the stamp's. */
async function requireAllLendable(
  world: World,
  record: CaseRecord,
  said: GrantRequest,
): Promise<GrantRecord["bundles"]> {
  const now = world.clock.now();
  const asked = await mapBounded(said.bundles, 8, async ({ stampId, bundleId }) => ({
    stampId,
    bundleId,
    stamp: (await world.stamps.head(stampId)).state,
    bundle: await world.stamps.bundle(stampId, bundleId),
  }));
  return asked.map(({ stampId, bundleId, stamp, bundle }) => {
    requireLendable({ case: record, stampId, bundle, purpose: said.purpose, now });
    if (stamp === undefined || isCompromised(stamp)) {
      throw new DomainError(
        "StampDisabled",
        "The stamp is disabled because its key was compromised. Its bundles are not lent.",
      );
    }
    return { stampId, bundleId, stampEpoch: stamp.uploadEpoch };
  });
}

type Asked = {
  readonly grantId: GrantId;
  readonly said: GrantRequest;
  readonly lent: GrantRecord["bundles"];
  readonly justificationNote: string;
};

function newGrant(
  record: CaseRecord,
  caller: TokenCaller,
  { grantId, said, lent, justificationNote }: Asked,
  now: Date,
): GrantRecord {
  const assignment = record.assignees.find((each) => each.subjectId === caller.subject);
  if (assignment === undefined) throw noSuchCase();
  return {
    grantId,
    caseNumber: record.caseNumber,
    grantee: caller.subject,
    purpose: said.purpose,
    justificationNote,
    bundles: lent,
    ...(said.roles === undefined ? {} : { roles: said.roles }),
    durationMinutes: said.durationMinutes,
    startsOn: toUtcTime(now),
    expiresOn: grantExpiry(now, said.durationMinutes),
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
  return await transact(
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
