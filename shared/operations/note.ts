import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Note } from "../domain/people.ts";

/** A free text for a side row. */
export const newNote = (text: string, noteId: string = randomUUID()): Note => ({
  noteId,
  salt: randomBytes(16).toString("base64url"),
  text,
});

/** What an event may hold of it: without the salt, which can be deleted, it tells nothing. */
export const noteDigest = (note: Note): string =>
  createHash("sha256").update(`${note.salt}\n${note.text}`, "utf8").digest("hex");
