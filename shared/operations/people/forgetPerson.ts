import { caseNumber, stampId, toUtcTime } from "../../api/primitives.ts";
import { type Actor, theService } from "../../domain/event.ts";
import { lastTextsMs, type SubjectId } from "../../domain/people.ts";
import { DomainError } from "../../errors.ts";
import { eachIsolated } from "../bounded.ts";
import { actorOf, type Caller } from "../caller.ts";
import type { NotePlace, World } from "../needs.ts";
import { transact } from "../transact.ts";

/**
 * Forgets whom a subject id stands for, and every text that the person wrote or is named in (invariant 9). The event comes first: what is half
 * forgotten can be asked for again, and what is forgotten too. Ledger, reports and verifier go on with the subject id. Throws `NotFound`.
 */
export async function forgetPerson(world: World, caller: Caller, subject: SubjectId): Promise<void> {
  const isKnown = (await world.people.whois(subject)) !== undefined || (await hasNotes(world, subject));
  if (!isKnown && !(await world.service.isMarked(markOf(subject)))) {
    throw new DomainError("NotFound", "Nobody is or was known by that subject id.");
  }
  await forget(world, actorOf(caller), subject);
}

async function hasNotes(world: Pick<World, "people">, subject: SubjectId): Promise<boolean> {
  for await (const _note of world.people.notes(subject)) return true;
  return false;
}

/**
 * The event once; what is to go, each time that anything is left of it. Whoever was just writing goes on under the subject id for a while, so a last
 * look is remembered before anything else.
 */
async function forget(world: World, actor: Actor, subject: SubjectId): Promise<void> {
  const { clock, people, schedule, service } = world;
  const dueOn = new Date(clock.now().getTime() + lastTextsMs);
  await schedule.remember({ kind: "person", subjectId: subject, dueOn: toUtcTime(dueOn) }, dueOn);
  await transact(service.head, async (head) => {
    if (await service.isMarked(markOf(subject))) return;
    const event = { type: "person.forgotten", actor, data: { subjectId: subject } } as const;
    await service.commit(head, { events: [event], mark: markOf(subject) }, clock.now());
  });
  await eachIsolated(people.notes(subject), 8, (place) => dropNote(world, place));
  await people.forget(subject);
}

const markOf = (subject: SubjectId) => ({ kind: "forgotten", subject }) as const;

/** Nothing is written under the subject id any more: what was written since is deleted, and where it stood is forgotten last. Safe to repeat. */
export async function finishForgetting(world: World, subject: SubjectId): Promise<void> {
  const { people, service } = world;
  if (!(await service.isMarked(markOf(subject)))) return;
  await eachIsolated(people.notes(subject), 8, async (place) => {
    await dropNote(world, place);
    await people.noteGone(subject, place);
  });
  await people.forget(subject);
}

async function dropNote(
  { cases, stamps }: Pick<World, "cases" | "stamps">,
  { partition, noteId }: NotePlace,
): Promise<void> {
  const [kind, id] = partition.split("/");
  if (kind === "stamps") await stamps.dropNote(stampId.parse(id), noteId);
  else await cases.dropNote(caseNumber.parse(id), noteId);
}

/** How many months before the oldest kept one are looked at: a timer that was down for as long catches up. */
const monthsLookedAt = 12;

/** Forgets everyone who was last met more than `METADATA_RETENTION_DAYS` ago. */
export async function forgetOld(world: World): Promise<void> {
  const oldest = new Date(world.clock.now().getTime() - world.rules.metadataRetentionDays * 86_400_000);
  const months = Array.from({ length: monthsLookedAt }, (_, index) =>
    new Date(Date.UTC(oldest.getUTCFullYear(), oldest.getUTCMonth() - index - 1, 1))
      .toISOString()
      .slice(0, 7)
      .replace("-", ""),
  );
  await eachIsolated(months, 1, (month) =>
    eachIsolated(world.people.lastMetIn(month), 1, (subject) => forget(world, theService, subject)),
  );
}
