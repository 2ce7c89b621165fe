import { createHmac } from "node:crypto";
import * as z from "zod";
import { guidOfDigest } from "./digest.ts";

/** People are random subject ids everywhere but in the directory, whose rows can be deleted (`DESIGN.md`, invariant 9). */

export const subjectId = z.guid().brand<"SubjectId">();
export type SubjectId = z.infer<typeof subjectId>;

/** Milliseconds for which an instance goes on with a subject id that it has read, also where the person was forgotten meanwhile. */
export const subjectKnownForMs = 10 * 60_000;

/** Milliseconds after a forgetting when nothing that had begun under the subject id can be written any more. */
export const lastTextsMs = subjectKnownForMs + 5 * 60_000;

/** Whom a subject id stands for: an Entra object id, or the name of an operator, or of a carrier of saved bundles, on one stamp. */
export type Person = {
  readonly scope: "entra" | `operator:${string}` | `carrier:${string}`;
  readonly identity: string;
};

/** A free text of a person, kept in a side row: events hold its salted digest only. */
export type Note = { readonly noteId: string; readonly salt: string; readonly text: string };

/** Who somebody is to one stamp, in the form of a GUID (RFC 9562, version 8). Without the key nobody can tell two stamps' pseudonyms of one person. */
export function pseudonymOf(key: string, stampId: string, subject: SubjectId): string {
  const digest = createHmac("sha256", Buffer.from(key, "base64url")).update(`${stampId}\n${subject}`).digest("hex");
  return guidOfDigest(digest);
}
