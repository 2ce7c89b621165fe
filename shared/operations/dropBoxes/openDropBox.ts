import { randomUUID } from "node:crypto";
import { terms } from "../../../terms/index.ts";
import type { DropBox, DropBoxRequest } from "../../api/dropBoxes.ts";
import { type StampId, toUtcTime, type UtcTime } from "../../api/primitives.ts";
import type { CaseRecord } from "../../domain/case.ts";
import { purposesOf } from "../../domain/consent.ts";
import { boxContainerName } from "../../domain/containers.ts";
import { type DropBoxRecord, expiryOf, senderOf, takesFiles } from "../../domain/dropBox.ts";
import { type Condition, isConditional, requireCondition } from "../../domain/etag.ts";
import type { NewEvent } from "../../domain/event.ts";
import type { Note, SubjectId } from "../../domain/people.ts";
import { deleteBy } from "../../domain/retention.ts";
import { utcDay } from "../../domain/utcDay.ts";
import { DomainError } from "../../errors.ts";
import { firstLookAfterMs } from "../bundles/uploadWork.ts";
import { actorOf, type TokenCaller } from "../caller.ts";
import { requireKnown } from "../cases/view.ts";
import type { CaseHead, StampHead, World } from "../needs.ts";
import { newNote } from "../note.ts";
import { operatorOf } from "../operator.ts";
import { caseNotOpen } from "../refusals.ts";
import { requestDigest } from "../requestDigest.ts";
import { transact } from "../transact.ts";
import { boxWork } from "./boxWork.ts";
import { asDropBox, type DropBoxPlace, dropBoxView, uploadFor } from "./view.ts";

/** Boxes that one case may have had. */
const mostPerCase = 200;

/**
 * Opens a drop box and answers with its URL. In this order, so that a crash leaves the safer half: its deadline and its day (invariant 2), its
 * container, the box, the case's word for it; only then a URL. The same request again gives a URL again, each with its event first.
 */
export async function openDropBox(
  world: World,
  caller: TokenCaller,
  place: DropBoxPlace,
  request: DropBoxRequest,
  condition: Condition,
): Promise<{ dropBox: DropBox; created: boolean }> {
  requireKnownTerms(request);
  const { cases, stamps } = world;
  requireRoom(requireOpen(await cases.head(place.caseNumber), caller), place);
  const { box, created } = await transact(
    () => stamps.head(senderOf(place.dropBoxId)),
    async (head) => {
      if (head.state === undefined) {
        requireCondition(condition, undefined);
        return { box: await insert(world, caller, head, place, request), created: true };
      }
      return { box: await repeat(world, caller, head, place, request, condition), created: false };
    },
  );
  await addToCase(world, caller, place);
  const view = await dropBoxView(world, box);
  return {
    dropBox: takesFiles(box, world.clock.now()) ? { ...view, upload: await uploadFor(world, box) } : view,
    created,
  };
}

async function insert(
  world: World,
  caller: TokenCaller,
  head: StampHead,
  place: DropBoxPlace,
  request: DropBoxRequest,
): Promise<DropBoxRecord> {
  const { boxes, clock, directory, schedule, stamps } = world;
  const now = clock.now();
  const people = await peopleOf(world, head, place, request);
  const digest = await boxDigest(world, senderOf(place.dropBoxId), request);
  const due = await world.purgeDates.purgeOn(now);
  const box = newBox(world, place, request, { people, digest, due }, now);
  await schedule.remember(boxWork(box), new Date(now.getTime() + firstLookAfterMs));
  await schedule.holdDay({ day: utcDay(now), account: box.account, purgeOn: box.purgeOn });
  await directory.addSender(box.stampId);
  await boxes.ensure(box.account, box.container);
  const { decisionId, purposes, termsVersion } = box.consentDecision;
  const event: NewEvent = {
    type: "dropBox.opened",
    actor: actorOf(caller),
    data: {
      stampId: box.stampId,
      dropBoxId: box.dropBoxId,
      caseNumber: box.caseNumber,
      contact: box.contact,
      decidedBy: box.decidedBy,
      decisionId,
      purposes,
      termsVersion,
      decidedOn: box.consentDecision.decidedOn,
      expiresOn: box.expiresOn,
      purgeOn: box.purgeOn,
      account: box.account,
      ...(box.stampVersion === undefined ? {} : { stampVersion: box.stampVersion }),
    },
  };
  await stamps.commit(box.stampId, head, { events: [event], sender: box, notes: people.notes }, now);
  return box;
}

/** What stands, if it is what this request made; that its URL is given once more is written before it is. */
async function repeat(
  world: World,
  caller: TokenCaller,
  head: StampHead,
  place: DropBoxPlace,
  request: DropBoxRequest,
  condition: Condition,
): Promise<DropBoxRecord> {
  const box = asDropBox(head);
  if (box?.caseNumber !== place.caseNumber || !(await isSameRequest(world, box, request))) {
    throw new DomainError(
      "DropBoxConflict",
      "This dropBoxId names something else already. Use a new GUID for a new drop box.",
    );
  }
  if (isConditional(condition)) requireCondition(condition, await dropBoxView(world, box));
  const now = world.clock.now();
  if (!takesFiles(box, now)) return box;
  const event: NewEvent = {
    type: "dropBox.urlIssued",
    actor: actorOf(caller),
    data: { stampId: box.stampId, dropBoxId: box.dropBoxId, caseNumber: box.caseNumber, expiresOn: box.expiresOn },
  };
  await world.stamps.commit(box.stampId, head, { events: [event] }, now);
  return box;
}

/** Under the case's head, which says that it is open: from then on its closing closes the box. */
async function addToCase(world: World, caller: TokenCaller, place: DropBoxPlace): Promise<void> {
  const { cases, clock } = world;
  const { caseNumber, dropBoxId } = place;
  await transact(
    () => cases.head(caseNumber),
    async (head) => {
      const record = requireOpen(head, caller);
      if (record.dropBoxIds.includes(dropBoxId)) return;
      requireRoom(record, place);
      const event: NewEvent = {
        type: "dropBox.added",
        actor: actorOf(caller),
        data: { caseNumber, stampId: senderOf(dropBoxId), dropBoxId },
      };
      const next = { ...record, dropBoxIds: [...record.dropBoxIds, dropBoxId] };
      await cases.commit(caseNumber, head, { events: [event], case: next }, clock.now());
    },
  );
}

function requireOpen(head: CaseHead, caller: TokenCaller): CaseRecord {
  const record = requireKnown(head, caller);
  if (record.state !== "open") throw caseNotOpen("The case is closed. Drop boxes are opened for open cases only.");
  return record;
}

function requireRoom({ dropBoxIds }: CaseRecord, { dropBoxId }: DropBoxPlace): void {
  if (dropBoxIds.length < mostPerCase || dropBoxIds.includes(dropBoxId)) return;
  throw new DomainError(
    "DropBoxConflict",
    `A case has at most ${mostPerCase} drop boxes, and this one has had them. Open another case.`,
  );
}

type BoxPeople = {
  readonly contact: SubjectId;
  readonly decidedBy: SubjectId;
  readonly email: Note | undefined;
  readonly notes: readonly Note[];
};

/** The customer's people as subject ids; what else is known of them is a side row (invariant 9). */
async function peopleOf(
  world: Pick<World, "people">,
  head: StampHead,
  { dropBoxId }: DropBoxPlace,
  { contact, consent }: DropBoxRequest,
): Promise<BoxPeople> {
  const sender = senderOf(dropBoxId);
  const subject = await operatorOf(world, sender, contact.name);
  const decidedBy = await operatorOf(world, sender, consent.decidedBy);
  const email = contact.email === undefined ? undefined : newNote(contact.email);
  if (email !== undefined) await world.people.wrote(subject, { partition: head.partition, noteId: email.noteId });
  return { contact: subject, decidedBy, email, notes: email === undefined ? [] : [email] };
}

function newBox(
  world: Pick<World, "landing">,
  { caseNumber, dropBoxId }: DropBoxPlace,
  request: DropBoxRequest,
  { people, digest, due }: { readonly people: BoxPeople; readonly digest: string; readonly due: UtcTime },
  now: Date,
): DropBoxRecord {
  const { decidedOn, termsVersion, purposes } = request.consent;
  const stampId = senderOf(dropBoxId);
  return {
    kind: "dropBox",
    dropBoxId,
    stampId,
    caseNumber,
    state: "open",
    contact: people.contact,
    decidedBy: people.decidedBy,
    ...(people.email === undefined ? {} : { emailNote: people.email.noteId }),
    consentDecision: {
      decisionId: randomUUID(),
      basis: "operator",
      decidedOn,
      termsVersion,
      purposes: purposesOf(purposes),
    },
    ...(request.stampVersion === undefined ? {} : { stampVersion: request.stampVersion }),
    createdOn: toUtcTime(now),
    expiresOn: expiryOf(now, request.durationHours, due),
    deleteBy: deleteBy(now),
    purgeOn: due,
    requestDigest: digest,
    account: world.landing.place(stampId, request.geography ?? ""),
    container: boxContainerName(utcDay(now), dropBoxId),
    consentEpoch: 0,
    uploadEpoch: 0,
  };
}

/** The e-mail address is compared as it is remembered: it stands in no digest. */
async function isSameRequest(
  world: Pick<World, "people" | "stamps">,
  box: DropBoxRecord,
  request: DropBoxRequest,
): Promise<boolean> {
  if (box.requestDigest !== (await boxDigest(world, box.stampId, request))) return false;
  const email = box.emailNote === undefined ? undefined : await world.stamps.note(box.stampId, box.emailNote);
  return email?.text === request.contact.email;
}

const boxDigest = async (
  world: Pick<World, "people">,
  sender: StampId,
  { contact, ...request }: DropBoxRequest,
): Promise<string> =>
  await requestDigest(world, sender, { ...request, contact: await operatorOf(world, sender, contact.name) });

function requireKnownTerms({ consent }: DropBoxRequest): void {
  if (terms.some((each) => each.version === consent.termsVersion)) return;
  throw new DomainError("InvalidBody", "There are no terms of that version. GET /terms lists those there are.", {
    target: "/consent/termsVersion",
  });
}
