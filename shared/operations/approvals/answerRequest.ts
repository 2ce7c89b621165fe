import type { AccessRequest, ApprovalRequest, DenialRequest } from "../../api/approvals.ts";
import { type GrantId, type StampId, toUtcTime } from "../../api/primitives.ts";
import { type RequestRecord, requestOfGrant } from "../../domain/approval.ts";
import type { NewEvent } from "../../domain/event.ts";
import { grantEnd } from "../../domain/grant.ts";
import type { Note } from "../../domain/people.ts";
import { DomainError } from "../../errors.ts";
import { actorOf, type StampCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { newNote, noteDigest } from "../note.ts";
import { operatorOf } from "../operator.ts";
import { noSuchRequest, requireWriter } from "../refusals.ts";
import { transact } from "../transact.ts";
import { finishApproval } from "./finishApproval.ts";
import { requestView } from "./listRequests.ts";

/** The operator lets the engineer read. The grant is active once every stamp that was asked has approved. Repeating it changes nothing. */
export const approveAccess = (world: World, caller: StampCaller, grantId: GrantId, said: ApprovalRequest) =>
  answer(world, caller, grantId, { outcome: "approved", decidedBy: said.decidedBy, reason: undefined });

/** The operator does not, or no more: an approval is taken back so. Repeating it changes nothing. */
export const denyAccess = (world: World, caller: StampCaller, grantId: GrantId, said: DenialRequest) =>
  answer(world, caller, grantId, { outcome: "denied", decidedBy: said.decidedBy, reason: said.reason });

type Answer = {
  readonly outcome: "approved" | "denied";
  readonly decidedBy: string;
  readonly reason: string | undefined;
};

const types = { approved: "access.approved", denied: "access.denied" } as const;

/** The answer is committed in the stamp's partition, which lending asks; then it is carried over to the grant. */
async function answer(
  world: World,
  caller: StampCaller,
  grantId: GrantId,
  { outcome, decidedBy: name, reason }: Answer,
): Promise<AccessRequest> {
  const { stamps, people, clock, schedule } = world;
  const { stampId } = caller;
  const decidedBy = await operatorOf(world, stampId, name);
  const answered = await transact(
    () => stamps.head(stampId),
    async (head) => {
      requireWriter(head, caller, clock);
      const request = await stamps.request(stampId, grantId);
      if (request === undefined) throw noSuchRequest();
      if (request.answer?.outcome === outcome) return request;
      await requireAnswerable(world, request, stampId);
      const now = clock.now();
      const note: Note | undefined = reason === undefined ? undefined : newNote(reason);
      if (note !== undefined) await people.wrote(decidedBy, { partition: head.partition, noteId: note.noteId });
      const to: RequestRecord = {
        ...request,
        answer: { outcome, on: toUtcTime(now), decidedBy, ...(note === undefined ? {} : { reasonNote: note.noteId }) },
      };
      const { caseNumber } = request;
      const event: NewEvent = {
        type: types[outcome],
        actor: actorOf(caller),
        data: {
          stampId,
          caseNumber,
          grantId,
          decidedBy,
          ...(request.askedDigest === undefined ? {} : { askedDigest: request.askedDigest }),
          ...(note === undefined ? {} : { reasonDigest: noteDigest(note) }),
        },
      };
      await schedule.remember({ kind: "approval", caseNumber, grantId, dueOn: toUtcTime(now) }, now);
      const notes = note === undefined ? [] : [note];
      await stamps.commit(stampId, head, { events: [event], request: { from: request, to }, notes }, now);
      return to;
    },
    caller.head,
  );
  await finishApproval(world, answered.caseNumber, grantId);
  return await requestView(world, caller, answered);
}

/** A denial is final, and what has ended needs no answer. */
async function requireAnswerable(
  { cases, clock }: Pick<World, "cases" | "clock">,
  request: RequestRecord,
  stampId: StampId,
): Promise<void> {
  const { caseNumber, grantId, answer } = request;
  if (answer?.outcome === "denied") {
    throw notAnswerable("denied", `The request was denied on ${answer.on}. The engineer can ask anew.`);
  }
  const [head, grant] = await Promise.all([cases.head(caseNumber), cases.grant(caseNumber, grantId)]);
  if (head.state === undefined || grant === undefined) throw noSuchRequest();
  const end = grantEnd(grant, head.state, clock.now());
  if (end !== undefined) {
    throw notAnswerable(end.reason, `The access that stamp ${stampId} was asked for ended on ${end.on}.`);
  }
  if (requestOfGrant(grant, request) === undefined) {
    throw notAnswerable("grantConflict", `Stamp ${stampId} was asked for something else. The engineer can ask anew.`);
  }
}

const notAnswerable = (code: string, message: string) =>
  new DomainError(
    "InvalidState",
    "There is nothing to answer any more: the request was denied, or its access has ended.",
    {
      details: [{ code, message }],
    },
  );
