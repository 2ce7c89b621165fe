import { type BundleRecord, bundleFacts, keptFacts, transition } from "../../domain/bundle.ts";
import type { DropBoxRecord } from "../../domain/dropBox.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { type Note, subjectId } from "../../domain/people.ts";
import { mapBounded } from "../bounded.ts";
import { askForVerification } from "../bundles/askForVerification.ts";
import { firstLookAfterMs, uploadWork } from "../bundles/uploadWork.ts";
import type { StampHead, World } from "../needs.ts";
import { newNote } from "../note.ts";
import { transact } from "../transact.ts";
import type { CopiedFile } from "./copyFile.ts";
import { asDropBox } from "./view.ts";

/** Writes the bundles of files that are copied, in one transaction, and asks for their verification. Those that another turn has written stay as they are. */
export async function writeBundles(world: World, box: DropBoxRecord, files: readonly CopiedFile[]): Promise<void> {
  const { clock, schedule, stamps } = world;
  const dueOn = new Date(clock.now().getTime() + firstLookAfterMs);
  await mapBounded(files, 8, ({ bundle }) => schedule.remember(uploadWork(bundle), dueOn));
  const written = await transact(
    () => stamps.head(box.stampId),
    async (head, isFirst) => {
      // Whoever closed the box meanwhile has dropped these copies.
      if (asDropBox(head)?.state !== "closing") return [];
      // The first try looks for none of them: one that is there refuses the insert.
      const fresh = isFirst ? files : await unwritten(world, files);
      if (fresh.length === 0) return [];
      const named = await mapBounded(fresh, 8, (file) => withPath(world, box, head, file));
      const bundles = named.map(({ bundle }) => bundle);
      const notes = named.flatMap(({ note }) => note ?? []);
      await stamps.commit(box.stampId, head, { events: bundles.flatMap(arrival), insert: bundles, notes }, clock.now());
      return bundles;
    },
  );
  await mapBounded(written, 8, (bundle) => askForVerification(world, bundle));
}

async function unwritten({ stamps }: Pick<World, "stamps">, files: readonly CopiedFile[]): Promise<CopiedFile[]> {
  const standing = await mapBounded(files, 8, ({ bundle }) => stamps.bundle(bundle.stampId, bundle.bundleId));
  return files.filter((_, index) => standing[index] === undefined);
}

/** A path that is no file name is the customer's own text, kept beside the bundle and forgotten with the contact (invariant 9). */
async function withPath(
  { people }: Pick<World, "people">,
  box: DropBoxRecord,
  { partition }: StampHead,
  { bundle, path }: CopiedFile,
): Promise<{ bundle: BundleRecord; note?: Note }> {
  if (bundle.fileName === path) return { bundle };
  const note = newNote(path);
  await people.wrote(subjectId.parse(box.contact), { partition, noteId: note.noteId });
  return { bundle: { ...bundle, pathNote: note.noteId }, note };
}

/** It was created and handed over in one: both are told, as of any other bundle. */
function arrival(bundle: BundleRecord): NewEvent[] {
  const created: BundleRecord = { ...bundle, state: "created" };
  const { decisionId, basis, purposes, termsVersion } = bundle.consentDecision;
  return [
    {
      type: "bundle.created",
      actor: theService,
      data: {
        ...bundleFacts(created),
        ...keptFacts(created),
        toState: created.state,
        mode: bundle.mode,
        decisionId,
        basis,
        purposes,
        termsVersion,
      },
    },
    { type: "bundle.submitted", actor: theService, data: transition(created, bundle) },
  ];
}
