import { type CaseNumber, type GrantId, type StampId, toUtcTime } from "../../api/primitives.ts";
import { activate, isOpen, type RequestRecord, requestOfGrant } from "../../domain/approval.ts";
import { type Actor, type NewEvent, theService } from "../../domain/event.ts";
import { askedDigest, bundleNames, type EndReason, type GrantRecord, grantEnd } from "../../domain/grant.ts";
import { mapBounded } from "../bounded.ts";
import { grantEnded } from "../cases/settleCase.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";

/**
 * A grant that needs approval stands in its case, what each stamp was asked and answered in the stamp's own partition. The grant comes first and
 * lends nothing; this brings both up to each other: asks each stamp, then carries their answers over. Safe to repeat; who dies before leaves it to
 * the sweeper. Gives why the grant has ended, where it has.
 */
export async function finishApproval(
  world: World,
  caseNumber: CaseNumber,
  grantId: GrantId,
): Promise<EndReason | undefined> {
  const grant = await readStanding(world, caseNumber, grantId);
  if (grant?.approval === undefined) return undefined;
  const requests = await mapBounded(grant.approval.stampIds, 4, (stampId) =>
    grant.ended === undefined ? ask(world, stampId, grant) : world.stamps.request(stampId, grantId),
  );
  if (grant.ended === undefined) await carryOver(world, grant, requests);
  const after = await readStanding(world, caseNumber, grantId);
  if (after?.ended === undefined) return undefined;
  const { reason } = after.ended;
  // Under the same id another case may have asked: its request is its own.
  const own = requests.filter((each) => each?.caseNumber === caseNumber).filter((each) => each !== undefined);
  await mapBounded(own.filter(isOpen), 4, (each) => close(world, each, reason));
  return reason;
}

/** The grant with its end, whether or not that is written yet. */
async function readStanding(
  { cases, clock }: Pick<World, "cases" | "clock">,
  caseNumber: CaseNumber,
  grantId: GrantId,
): Promise<GrantRecord | undefined> {
  const [head, grant] = await Promise.all([cases.head(caseNumber), cases.grant(caseNumber, grantId)]);
  if (head.state === undefined || grant === undefined) return undefined;
  const ended = grantEnd(grant, head.state, clock.now());
  return { ...grant, ended };
}

/** What the stamp is asked, written where nothing is yet; else what stands under the id, which may be of another case. */
async function ask({ stamps, clock }: World, stampId: StampId, grant: GrantRecord): Promise<RequestRecord> {
  const { caseNumber, grantId, purpose, grantee, approval } = grant;
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const standing = await stamps.request(stampId, grantId);
      if (standing !== undefined) return standing;
      const requestedOn = approval?.requestedOn ?? grant.startsOn;
      const request = { grantId, caseNumber, stampId, requestedOn, askedDigest: askedDigest(grant) };
      const bundles = grant.bundles.filter((each) => each.stampId === stampId).map(({ bundleId }) => bundleId);
      const event: NewEvent = {
        type: "access.requested",
        actor: { kind: "person", id: grantee },
        data: {
          stampId,
          caseNumber,
          grantId,
          purpose,
          bundles,
          ...(grant.roles === undefined ? {} : { roles: grant.roles }),
          durationMinutes: grant.durationMinutes,
          requestedOn,
          askedDigest: request.askedDigest,
        },
      };
      await stamps.commit(stampId, head, { events: [event], request: { from: undefined, to: request } }, clock.now());
      return request;
    },
  );
}

/**
 * One denial ends the grant, also where it is active; the last approval activates it. One that a stamp was not asked for, as its id was taken there,
 * can never be approved, and ends.
 */
async function carryOver(
  { cases, clock, schedule }: World,
  { caseNumber, grantId }: GrantRecord,
  requests: readonly (RequestRecord | undefined)[],
): Promise<void> {
  await transact(
    () => cases.head(caseNumber),
    async (head) => {
      const grant = await cases.grant(caseNumber, grantId);
      const now = clock.now();
      if (grant === undefined || head.state === undefined || grantEnd(grant, head.state, now) !== undefined) return;
      const end = endByAnswers(grant, requests, now);
      if (end !== undefined) {
        const over: GrantRecord = { ...grant, ended: end };
        await cases.commit(caseNumber, head, { events: [grantEnded(over)], endGrants: [over] }, now);
        return;
      }
      const active = activate(grant, requests);
      if (active === undefined) return;
      const event = { ...grantActivated(active), actor: theService };
      await schedule.remember({ kind: "case", caseNumber, dueOn: active.expiresOn }, new Date(active.expiresOn));
      await cases.commit(caseNumber, head, { events: [event], activateGrant: active }, now);
    },
  );
}

function endByAnswers(grant: GrantRecord, requests: readonly (RequestRecord | undefined)[], now: Date) {
  const own = requests.map((each) => requestOfGrant(grant, each));
  if (own.includes(undefined)) return { on: toUtcTime(now), reason: "grantConflict" } as const;
  const denial = own.find((each) => each?.answer?.outcome === "denied")?.answer;
  return denial && ({ on: denial.on, reason: "denied" } as const);
}

/** Of a grant that lends from `startsOn` on. */
export const grantActivated = (grant: GrantRecord): Omit<NewEvent, "actor"> => ({
  type: "grant.activated",
  data: {
    caseNumber: grant.caseNumber,
    grantId: grant.grantId,
    grantee: grant.grantee,
    purpose: grant.purpose,
    bundles: bundleNames(grant.bundles),
    ...(grant.roles === undefined ? {} : { roles: grant.roles }),
    durationMinutes: grant.durationMinutes,
    ...(grant.justificationDigest === undefined ? {} : { justificationDigest: grant.justificationDigest }),
    askedDigest: askedDigest(grant),
    startsOn: grant.startsOn,
    expiresOn: grant.expiresOn,
  },
});

/** Nobody has to answer any more. */
async function close({ stamps, clock }: World, { stampId, grantId, caseNumber }: RequestRecord, reason: string) {
  await transact(
    () => stamps.head(stampId),
    async (head) => {
      const request = await stamps.request(stampId, grantId);
      if (request === undefined || !isOpen(request)) return;
      const now = clock.now();
      const actor: Actor = theService;
      const event: NewEvent = {
        type: "access.requestClosed",
        actor,
        data: { stampId, caseNumber, grantId, reason },
      };
      const to = { ...request, closedOn: toUtcTime(now) };
      await stamps.commit(stampId, head, { events: [event], request: { from: request, to } }, now);
    },
  );
}
