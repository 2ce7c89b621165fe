import * as z from "zod";
import { type CaseUpdate, caseKind, caseState } from "../api/cases.ts";
import {
  type CaseNumber,
  caseNumber,
  dropBoxId,
  guid,
  type StampId,
  stampId,
  toUtcTime,
  utcTime,
} from "../api/primitives.ts";
import { DomainError } from "../errors.ts";
import { senderOf } from "./dropBox.ts";
import type { EventData, EventType } from "./event.ts";
import { type SubjectId, subjectId } from "./people.ts";

/** A case as the case system has it: the state that its partition's head carries. Endings are epochs (`DESIGN.md`, Data). */

export const assignee = z.object({ subjectId, epoch: z.int() });
export type Assignee = z.infer<typeof assignee>;

export const caseRecord = z.object({
  caseNumber,
  revision: z.int(),
  kind: caseKind,
  state: caseState,
  stampIds: z.array(stampId),
  /** Drop boxes that were opened for it, in the order of their opening. */
  dropBoxIds: z.array(dropBoxId).default([]),
  assignees: z.array(assignee),
  titleNote: guid.optional(),
  closedOn: utcTime.optional(),
  createdOn: utcTime,
  updatedOn: utcTime,
  /** Raised by closing: a grant lives only under its own. */
  openEpoch: z.int(),
  /** The last epoch given to an assignee: whoever is assigned again gets a newer one. */
  assigneeEpoch: z.int(),
});
export type CaseRecord = z.infer<typeof caseRecord>;

/** An update with its people as subject ids and its title as a note's id. */
export type CaseFacts = Omit<CaseUpdate, "assignees" | "title"> & {
  readonly assignees: readonly SubjectId[];
  readonly titleNote: string | undefined;
};

/** Throws `StaleRevision` unless `said` is newer than what stands; `sameBody` tells a repeat of the standing revision. */
export function isRepeat(standing: CaseRecord | undefined, said: { revision: number }, sameBody: boolean): boolean {
  if (standing === undefined || said.revision > standing.revision) return false;
  if (said.revision === standing.revision && sameBody) return true;
  throw new DomainError(
    "StaleRevision",
    `The case stands at revision ${standing.revision}. Read it and send the update with a higher revision.`,
    { target: "/revision", details: [{ code: "StandingRevision", message: String(standing.revision) }] },
  );
}

/** The case after the update, and the event that says so. */
export function updateCase(
  number: CaseNumber,
  standing: CaseRecord | undefined,
  said: CaseFacts,
  now: Date,
): { case: CaseRecord; event: { type: EventType; data: EventData } } {
  const on = toUtcTime(now);
  const closes = said.state === "closed" && standing?.state !== "closed";
  const reopens = said.state === "open" && standing?.state === "closed";
  const assignees = assign(standing, said.assignees);
  const closedOn = said.state === "open" ? undefined : (standing?.closedOn ?? on);
  const record: CaseRecord = {
    caseNumber: number,
    revision: said.revision,
    kind: said.kind,
    state: said.state,
    stampIds: [...said.stampIds],
    dropBoxIds: standing?.dropBoxIds ?? [],
    assignees: assignees.list,
    ...(said.titleNote === undefined ? {} : { titleNote: said.titleNote }),
    ...(closedOn === undefined ? {} : { closedOn }),
    createdOn: standing?.createdOn ?? on,
    updatedOn: on,
    openEpoch: (standing?.openEpoch ?? 0) + (closes && standing !== undefined ? 1 : 0),
    assigneeEpoch: assignees.epoch,
  };
  const type = closes && standing !== undefined ? "case.closed" : reopens ? "case.reopened" : "case.updated";
  return {
    case: record,
    event: {
      type,
      data: {
        caseNumber: number,
        revision: said.revision,
        kind: said.kind,
        state: said.state,
        stampIds: said.stampIds,
        assignees: said.assignees,
      },
    },
  };
}

/** Whoever stays keeps their epoch; whoever is new, or comes back, gets a new one. */
function assign(standing: CaseRecord | undefined, said: readonly SubjectId[]): { list: Assignee[]; epoch: number } {
  const known = new Map(standing?.assignees.map((each) => [each.subjectId, each]));
  let epoch = standing?.assigneeEpoch ?? 0;
  const list = said.map((subject) => {
    const stays = known.get(subject);
    if (stays !== undefined) return stays;
    epoch += 1;
    return { subjectId: subject, epoch };
  });
  return { list, epoch };
}

/** All whose bundles may be linked to the case: its stamps, and its drop boxes. */
export const sendersOf = (record: Pick<CaseRecord, "stampIds" | "dropBoxIds">): readonly StampId[] => [
  ...record.stampIds,
  ...record.dropBoxIds.map(senderOf),
];

export const listsSender = (record: Pick<CaseRecord, "stampIds" | "dropBoxIds">, sender: StampId): boolean =>
  sendersOf(record).includes(sender);

export const isAssigned = (record: CaseRecord, subject: SubjectId): boolean =>
  record.assignees.some((each) => each.subjectId === subject);
