import type { TransactionAction } from "@azure/data-tables";
import * as z from "zod";
import type { Note } from "../../domain/people.ts";
import { toEntity } from "./entity.ts";

/** Side rows `note!<id>` of a partition: free texts with their salts, which can be deleted while the chain still verifies (invariant 9). */

export const noteSchema = z.object({ noteId: z.guid(), salt: z.string(), text: z.string() });

export const noteEntity = (partition: string, note: Note) => toEntity(partition, `note!${note.noteId}`, note);

export const noteRow = (partition: string, note: Note): TransactionAction => ["create", noteEntity(partition, note)];
