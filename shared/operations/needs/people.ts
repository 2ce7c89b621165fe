import type { StampId } from "../../api/primitives.ts";
import type { Person, SubjectId } from "../../domain/people.ts";

/** Persons and their side rows. */

/** Where a side row stands: the ledger partition and the note. */
export type NotePlace = { readonly partition: string; readonly noteId: string };

export type People = {
  /** The subject id of a person, made where there is none yet. */
  readonly subjectOf: (person: Person) => Promise<SubjectId>;
  /** What one stamp is shown in place of the id: always the same, and another one for each stamp. */
  readonly pseudonym: (stampId: StampId, subject: SubjectId) => Promise<string>;
  /** Whom it stands for; undefined once forgotten. */
  readonly whois: (subject: SubjectId) => Promise<Person | undefined>;
  /** Remembers a side row that the person wrote or is named in; before the row is. */
  readonly wrote: (subject: SubjectId, place: NotePlace) => Promise<void>;
  readonly notes: (subject: SubjectId) => AsyncIterable<NotePlace>;
  readonly noteGone: (subject: SubjectId, place: NotePlace) => Promise<void>;
  /** Deletes what leads from the id to the person and back. */
  readonly forget: (subject: SubjectId) => Promise<void>;
  /** Who was last met in that month, `yyyymm`. */
  readonly lastMetIn: (month: string) => AsyncIterable<SubjectId>;
};
