import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { TransactionAction } from "@azure/data-tables";
import * as z from "zod";
import { type Person, pseudonymOf, type SubjectId, subjectId, subjectKnownForMs } from "../../domain/people.ts";
import type { People } from "../../operations/needs.ts";
import { transact } from "../../operations/transact.ts";
import { toEntity } from "./entity.ts";
import type { Table } from "./table.ts";

/**
 * Table `people`: the only place where a subject id meets a person. In one partition, so that they come, move and go together: `subject!<id>` leads
 * from the id to the person, `person!<digest>` back, `used!<month>!<id>` names who was last met when. `notes!<subject>`, a partition of its own, names
 * the side rows that a person wrote or is named in. Deleting all of that forgets the person; nothing else has to change. `pseudonyms` holds the
 * secret that pseudonyms are made with.
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
const used = z.object({ subjectId });
const secret = z.object({ key: z.string().length(43) });
const notePlace = z.object({ partition: z.string(), noteId: z.guid() });

/** A cache of this process: an id, once given, changes only when its person is forgotten. */
const mostCached = 10_000;

export function openPeople(table: Table, now: () => Date): People {
  const cache = new Map<string, { subject: SubjectId; until: number }>();

  async function subjectOf(who: Person): Promise<SubjectId> {
    const key = personKey(who);
    const cached = cache.get(key);
    if (cached !== undefined && cached.until > now().getTime()) return cached.subject;
    const subject = await findOrMake(who, key);
    if (cache.size >= mostCached) cache.clear();
    cache.set(key, { subject, until: now().getTime() + subjectKnownForMs });
    return subject;
  }

  let pseudonymKey: string | undefined;
  const readKey = async () => (await table.read(...keyPlace, secret))?.value.key;

  /** Made once, by whoever needs it first: of several instances one inserts it, and all read what stands. */
  async function requireKey(): Promise<string> {
    const standing = await readKey();
    if (standing !== undefined) return standing;
    const key = randomBytes(32).toString("base64url");
    if (await table.insert(toEntity(...keyPlace, { key }))) return key;
    const others = await readKey();
    if (others === undefined) throw new TypeError("The key of pseudonyms was deleted just now");
    return others;
  }

  const readPerson = (key: string) => table.read(partition, key, known);
  const readSubject = async (subject: SubjectId) => (await table.read(partition, subjectKey(subject), person))?.value;

  const findOrMake = (who: Person, key: string): Promise<SubjectId> =>
    transact(
      () => readPerson(key),
      async (found) => {
        const month = monthOf(now());
        if (found === undefined) return await make(who, key, month);
        const { subjectId: subject, usedMonth } = found.value;
        if (usedMonth !== month) {
          const met = toEntity(partition, key, { subjectId: subject, usedMonth: month });
          await table.transact([
            ["update", met, "Replace", { etag: found.etag }],
            gone(usedKey(usedMonth, subject)),
            ["create", toEntity(partition, usedKey(month, subject), { subjectId: subject })],
          ]);
        }
        return subject;
      },
    );

  async function make(who: Person, key: string, month: string): Promise<SubjectId> {
    const subject = subjectId.parse(randomUUID());
    await table.transact([
      ["create", toEntity(partition, key, { subjectId: subject, usedMonth: month })],
      ["create", toEntity(partition, subjectKey(subject), who)],
      ["create", toEntity(partition, usedKey(month, subject), { subjectId: subject })],
    ]);
    return subject;
  }

  const forget = (subject: SubjectId): Promise<void> =>
    transact(
      () => readSubject(subject),
      async (who) => {
        if (who === undefined) return;
        const key = personKey(who);
        cache.delete(key);
        const standing = await readPerson(key);
        if (standing === undefined) return await table.remove(partition, subjectKey(subject));
        await table.transact([gone(key), gone(subjectKey(subject)), gone(usedKey(standing.value.usedMonth, subject))]);
      },
    );

  return {
    subjectOf,
    forget,
    pseudonym: async (stamp, subject) => {
      pseudonymKey ??= await requireKey();
      return pseudonymOf(pseudonymKey, stamp, subject);
    },
    whois: readSubject,
    wrote: async (subject, place) => void (await table.put(toEntity(notesOf(subject), place.noteId, place))),
    notes: (subject) => items(table.scan({ partition: notesOf(subject), prefix: "" }, notePlace)),
    noteGone: (subject, { noteId }) => table.remove(notesOf(subject), noteId),
    lastMetIn: async function* (month) {
      for await (const { subjectId } of items(table.scan({ partition, prefix: usedKey(month, "") }, used))) {
        yield subjectId;
      }
    },
  };
}

const partition = "people";
const keyPlace = ["pseudonyms", "key"] as const;
const subjectKey = (subject: SubjectId) => `subject!${subject}`;
const usedKey = (month: string, subject: string) => `used!${month}!${subject}`;
const notesOf = (subject: SubjectId) => `notes!${subject}`;
const gone = (rowKey: string): TransactionAction => ["delete", { partitionKey: partition, rowKey }];

/** `yyyymm`. */
const monthOf = (at: Date): string => at.toISOString().slice(0, 7).replace("-", "");

async function* items<T>(rows: AsyncIterable<{ item: T }>): AsyncGenerator<T> {
  for await (const { item } of rows) yield item;
}

/** Names may hold what a row key may not. */
const personKey = (who: Person): string =>
  `person!${createHash("sha256").update(`${who.scope}\n${who.identity}`).digest("hex")}`;
