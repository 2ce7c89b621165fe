import { type BundleRecord, bundleFacts, keptFacts, transition } from "../../domain/bundle.ts";
import type { ArrivedFile, DropBoxRecord } from "../../domain/dropBox.ts";
import { type NewEvent, theService } from "../../domain/event.ts";
import { type Note, subjectId } from "../../domain/people.ts";
import { mapBounded } from "../bounded.ts";
import { firstLookAfterMs, uploadWork } from "../bundles/uploadWork.ts";
import type { StampHead, World } from "../needs.ts";
import { newNote } from "../note.ts";
import { arrivedBundle } from "./arrivedBundle.ts";
import { type BoxTurn, writeInTurn } from "./boxTurn.ts";

/** Writes the bundles that files become, in one transaction, before any of their bytes is copied: so no copy is without its row. */
export async function writeBundles(
  world: World,
  turn: BoxTurn,
  box: DropBoxRecord,
  files: readonly ArrivedFile[],
): Promise<BundleRecord[]> {
  const { clock, schedule, stamps } = world;
  const arrived = files.map((file) => ({ bundle: arrivedBundle(clock, box, file), path: file.path }));
  const dueOn = new Date(clock.now().getTime() + firstLookAfterMs);
  await mapBounded(arrived, 8, ({ bundle }) => schedule.remember(uploadWork(bundle), dueOn));
  await writeInTurn(world, turn, async (_box, head, isFirst) => {
    // A commit whose answer was lost has written them all.
    const [first] = arrived;
    const isWritten = !isFirst && first !== undefined && (await stamps.bundle(box.stampId, first.bundle.bundleId));
    if (isWritten) return undefined;
    const named = await mapBounded(arrived, 8, ({ bundle, path }) => withPath(world, box, head, bundle, path));
    const bundles = named.map(({ bundle }) => bundle);
    const notes = named.flatMap(({ note }) => note ?? []);
    return { events: bundles.flatMap(arrival), insert: bundles, notes };
  });
  return arrived.map(({ bundle }) => bundle);
}

/** A path that is no file name is the customer's own text, kept beside the bundle and forgotten with the contact (invariant 9). */
async function withPath(
  { people }: Pick<World, "people">,
  box: DropBoxRecord,
  { partition }: StampHead,
  bundle: BundleRecord,
  path: string,
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
