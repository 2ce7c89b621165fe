import { createHash, randomUUID } from "node:crypto";
import { z } from "zod";
import { type Person, type SubjectId, subjectId } from "../../domain/people.ts";
import type { People } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import type { Table } from "./table.ts";

/**
 * Table `people`: the only place where a subject id meets a person. `subject` rows lead from the id to the person, `person` rows back.
 * Deleting both forgets the person; nothing else has to change.
 */

const person = z.object({
  scope: z.union([z.literal("entra"), z.templateLiteral(["operator:", z.string()])]),
  identity: z.string(),
});
const known = z.object({ subjectId });

/** A cache of this process: an id, once given, never changes; what is forgotten is dropped with its age. */
const mostCached = 10_000;
const cachedForMs = 10 * 60_000;

export function openPeople(table: Table): People {
  const cache = new Map<string, { subject: SubjectId; until: number }>();

  return {
    subjectOf: async (who) => {
      const key = personKey(who);
      const cached = cache.get(key);
      if (cached !== undefined && cached.until > Date.now()) return cached.subject;
      const subject = await findOrMake(who, key);
      if (cache.size >= mostCached) cache.clear();
      cache.set(key, { subject, until: Date.now() + cachedForMs });
      return subject;
    },
    whois: async (subject) => (await table.read("subject", subject, person))?.value,
  };

  async function findOrMake(who: Person, key: string): Promise<SubjectId> {
    const found = await table.read("person", key, known);
    if (found !== undefined) return found.value.subjectId;
    const subject = subjectId.parse(randomUUID());
    await table.put(toEntity("subject", subject, who));
    if (await table.insert(toEntity("person", key, { subjectId: subject }))) return subject;
    const winner = await table.read("person", key, known);
    return winner?.value.subjectId ?? subject;
  }
}

/** Names may hold what a row key may not. */
const personKey = (who: Person): string => createHash("sha256").update(`${who.scope}\n${who.identity}`).digest("hex");
