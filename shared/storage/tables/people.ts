import { createHash, randomUUID } from "node:crypto";
import * as z from "zod";
import { type Person, type SubjectId, subjectId } from "../../domain/people.ts";
import type { NotePlace, People } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import type { Table } from "./table.ts";

/**
 * Table `people`: the only place where a subject id meets a person. `subject` rows lead from the id to the person, `person` rows back;
 * `notes!<subject>` names the side rows that a person wrote or is named in, `used!<month>` who was last met when.
 * Deleting all of that forgets the person; nothing else has to change.
 */

const person = z.object({
  scope: z.union([
    z.literal("entra"),
    z.templateLiteral(["operator:", z.string()]),
    z.templateLiteral(["carrier:", z.string()]),
  ]),
  identity: z.string(),
});
const known = z.object({ subjectId, usedMonth: z.string() });
const used = z.object({ subjectId, key: z.string() });
const notePlace = z.object({ partition: z.string(), noteId: z.guid() });

/** A cache of this process: an id, once given, changes only when its person is forgotten. */
const mostCached = 10_000;
const cachedForMs = 10 * 60_000;

export function openPeople(table: Table, now: () => Date): People {
  const cache = new Map<string, { subject: SubjectId; until: number }>();

  async function subjectOf(who: Person): Promise<SubjectId> {
    const key = personKey(who);
    const cached = cache.get(key);
    if (cached !== undefined && cached.until > now().getTime()) return cached.subject;
    const subject = await findOrMake(who, key);
    if (cache.size >= mostCached) cache.clear();
    cache.set(key, { subject, until: now().getTime() + cachedForMs });
    return subject;
  }

  async function findOrMake(who: Person, key: string): Promise<SubjectId> {
    const month = monthOf(now());
    const found = await table.read("person", key, known);
    if (found !== undefined) {
      if (found.value.usedMonth !== month) await meet(key, found.value.subjectId, month);
      return found.value.subjectId;
    }
    const subject = subjectId.parse(randomUUID());
    await table.put(toEntity("subject", subject, who));
    await table.put(toEntity(usedIn(month), subject, { subjectId: subject, key }));
    if (await table.insert(toEntity("person", key, { subjectId: subject, usedMonth: month }))) return subject;
    const winner = await table.read("person", key, known);
    return winner?.value.subjectId ?? subject;
  }

  /** The month's row first: a person without one would never be forgotten. */
  async function meet(key: string, subject: SubjectId, month: string): Promise<void> {
    await table.put(toEntity(usedIn(month), subject, { subjectId: subject, key }));
    await table.put(toEntity("person", key, { subjectId: subject, usedMonth: month }));
  }

  async function forget(subject: SubjectId): Promise<void> {
    const who = await table.read("subject", subject, person);
    if (who !== undefined) {
      const key = personKey(who.value);
      cache.delete(key);
      const standing = await table.read("person", key, known);
      if (standing?.value.subjectId === subject) await table.remove("person", key);
    }
    await table.remove("subject", subject);
  }

  return {
    subjectOf,
    forget,
    whois: async (subject) => (await table.read("subject", subject, person))?.value,
    wrote: async (subject, place) => void (await table.put(toEntity(notesOf(subject), place.noteId, place))),
    notes: (subject) => items(table.scan({ partition: notesOf(subject), prefix: "" }, notePlace)),
    noteGone: (subject, { noteId }) => table.remove(notesOf(subject), noteId),
    lastMetIn: async function* (month) {
      for await (const { item } of table.scan({ partition: usedIn(month), prefix: "" }, used)) {
        const standing = await table.read("person", item.key, known);
        const metSince = standing?.value.subjectId === item.subjectId && standing.value.usedMonth !== month;
        if (!metSince) yield item.subjectId;
      }
    },
  };
}

const usedIn = (month: string) => `used!${month}`;
const notesOf = (subject: SubjectId) => `notes!${subject}`;

/** `yyyymm`. */
const monthOf = (at: Date): string => at.toISOString().slice(0, 7).replace("-", "");

async function* items(rows: AsyncIterable<{ item: NotePlace }>): AsyncGenerator<NotePlace> {
  for await (const { item } of rows) yield item;
}

/** Names may hold what a row key may not. */
const personKey = (who: Person): string => createHash("sha256").update(`${who.scope}\n${who.identity}`).digest("hex");
