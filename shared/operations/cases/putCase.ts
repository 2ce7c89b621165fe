import type { CaseUpdate, SupportCase } from "../../api/cases.ts";
import type { CaseNumber } from "../../api/primitives.ts";
import { type CaseRecord, isRepeat, updateCase } from "../../domain/case.ts";
import { type Condition, requireCondition } from "../../domain/etag.ts";
import { mapBounded } from "../bounded.ts";
import { actorOf, type TokenCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { newNote } from "../note.ts";
import { transact } from "../transact.ts";
import { settleCaseSoon } from "./settleCase.ts";
import { caseView } from "./view.ts";

/** Records a case as the case system has it. Closing it or unassigning a person ends the grants that it carried, from the commit on. */
export async function putCase(
  world: World,
  caller: TokenCaller,
  caseNumber: CaseNumber,
  said: CaseUpdate,
  condition: Condition,
): Promise<{ case: SupportCase; created: boolean }> {
  const { cases, clock, directory, people } = world;
  const assignees = await mapBounded(said.assignees, 16, (oid) => people.subjectOf({ scope: "entra", identity: oid }));
  return await transact(
    () => cases.head(caseNumber),
    async (head) => {
      const standing = head.state;
      const view = standing && (await caseView(world, standing));
      requireCondition(condition, view);
      if (view !== undefined && isRepeat(standing, said, sameCase(view, said))) return { case: view, created: false };

      const title = said.title === undefined ? undefined : newNote(said.title);
      if (title !== undefined) await people.wrote(caller.subject, { partition: head.partition, noteId: title.noteId });
      const now = clock.now();
      const updated = updateCase(caseNumber, standing, { ...said, assignees, titleNote: title?.noteId }, now);
      if (standing === undefined) await directory.addCase(caseNumber);
      await mapBounded(newcomers(standing, updated.case), 16, (subject) =>
        directory.addAssignment(subject, caseNumber),
      );
      const settle = await settleCaseSoon(world, standing, updated.case);
      const event = { ...updated.event, actor: actorOf(caller) };
      await cases.commit(
        caseNumber,
        head,
        { events: [event], case: updated.case, notes: title === undefined ? [] : [title] },
        now,
      );
      await settle();
      return { case: await caseView(world, updated.case), created: standing === undefined };
    },
  );
}

function sameCase(standing: SupportCase, said: CaseUpdate): boolean {
  const facts = (of: CaseUpdate | SupportCase) =>
    JSON.stringify([of.kind, of.state, [...of.stampIds].sort(), [...of.assignees].sort(), of.title ?? null]);
  return facts(standing) === facts(said);
}

const newcomers = (standing: CaseRecord | undefined, updated: CaseRecord) =>
  updated.assignees
    .map((each) => each.subjectId)
    .filter((subject) => !standing?.assignees.some((each) => each.subjectId === subject));
