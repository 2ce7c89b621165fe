import { userInfo } from "node:os";
import { type Command, Option } from "commander";
import { z } from "zod";
import type { Bundle } from "../../shared/api/bundles.ts";
import { FileChangedError, RefusedError } from "../errors.ts";
import { exitCodes } from "../failure.ts";
import { asCarrier, importApi, importSaved, NotTheSavedFileError } from "../importing.ts";
import { table, time } from "../output.ts";
import { uploadsFolder } from "../profile.ts";
import { progressDisplay } from "../progress.ts";
import { uploadMemory } from "../resume.ts";
import { patient } from "../retry.ts";
import { markSent, readFolder, type SavedBundle, type SentNote } from "../saved.ts";
import { connect } from "../service.ts";
import type { Context, Run } from "./context.ts";
import { sizeInBytes, wholeNumber } from "./options.ts";
import { folderPath } from "./paths.ts";

/** `import`: brings the bundles that a stamp saved to the service. The machine needs the folder and a line, and no key of the stamp. */

const importOptions = z.object({
  carriedBy: z.string(),
  concurrency: z.number().optional(),
  blockSize: z.number().optional(),
  wait: z.boolean(),
});
type ImportOptions = z.infer<typeof importOptions>;

/** What became of one bundle. */
type Outcome = {
  readonly file: string;
  readonly bundleId?: string;
  readonly outcome: "accepted" | "sentBefore" | "submitted" | "rejected" | "failed";
  readonly code?: string;
  readonly message?: string;
  readonly deleteBy?: string;
};

export function addImport(program: Command, run: Run): void {
  program
    .command("import <folder>")
    .description("send every bundle that was saved there and not sent yet; again, to go on where it stopped")
    .addOption(new Option("--carried-by <name>", "who brought them, for the record").default(userInfo().username))
    .option("--concurrency <blocks>", "blocks in flight at a time (default: 4)", wholeNumber)
    .option("--block-size <size>", "largest block, such as 4m (default: what the service advises)", sizeInBytes)
    .option("--no-wait", "go on to the next once the service has acknowledged one, without the verdict")
    .action((folder: string, _options, command: Command) =>
      run(command, async (context) => importFolder(context, await folderPath(folder), command.opts())),
    );
}

async function importFolder(context: Context, folder: string, given: unknown): Promise<number> {
  const options = importOptions.parse(given);
  const { bundles, unreadable } = await readFolder(folder);
  const outcomes: Outcome[] = unreadable.map(({ name }) => ({
    file: name,
    outcome: "failed",
    code: "ManifestUnreadable",
    message: "Its manifest cannot be read. Bring it anew from where the bundle was saved.",
  }));
  try {
    for (const saved of bundles) outcomes.push(await importOne(context, saved, options));
  } finally {
    // Also where the line is gone or somebody stops it: what was done is done.
    context.output.result(outcomes, ...linesOf(folder, outcomes));
  }
  if (outcomes.some(({ outcome }) => outcome === "rejected")) return exitCodes.rejected;
  return outcomes.some(({ outcome }) => outcome === "failed") ? exitCodes.refused : exitCodes.fine;
}

/** Throws where no other bundle would fare better: no line, or somebody stops it. */
async function importOne(context: Context, saved: SavedBundle, options: ImportOptions): Promise<Outcome> {
  const named = { file: saved.name, bundleId: saved.manifest.bundleId };
  if (saved.sent !== undefined) return { ...named, outcome: "sentBefore", deleteBy: saved.sent.deleteBy };
  try {
    const bundle = await send(context, saved, options);
    const { bundleId, acceptedOn, deleteBy } = bundle;
    if (acceptedOn !== undefined) {
      const { carriedBy } = options;
      await noteSent(context, saved, { bundleId, acceptedOn, deleteBy, carriedBy, origin: context.origin });
    }
    return { ...named, ...outcomeOf(bundle) };
  } catch (error) {
    if (!isOfThisBundle(error)) throw error;
    return { ...named, outcome: "failed", code: codeOf(error), message: error.message };
  }
}

async function send(context: Context, saved: SavedBundle, options: ImportOptions): Promise<Bundle> {
  context.output.note(saved.name);
  const display = progressDisplay(context.output);
  const { carriedBy, concurrency, blockSize: blockSizeBytes, wait } = options;
  const service = connect(context.origin, asCarrier(saved.jws), {
    exchange: context.exchange,
    retry: patient,
    onRetry: display.retry,
  });
  try {
    const { bundle } = await importSaved(importApi(service, saved, carriedBy), saved, {
      concurrency,
      blockSizeBytes,
      wait,
      memory: uploadMemory(uploadsFolder(context.local)),
      onProgress: display.show,
      signal: context.signal,
    });
    return bundle;
  } finally {
    display.end();
  }
}

/** On a folder that cannot be written to the next import asks the service again, which costs a call and changes nothing. */
async function noteSent(
  { output }: Context,
  saved: SavedBundle,
  note: Omit<SentNote, "schema" | "sha256">,
): Promise<void> {
  try {
    await markSent(saved, { schema: 1, sha256: saved.manifest.sha256, ...note });
  } catch (error) {
    output.note(`${saved.name} was accepted, but that could not be noted beside it: ${String(error)}`);
  }
}

function outcomeOf({ state, acceptedOn, rejection, deleteBy }: Bundle): Omit<Outcome, "file"> {
  if (acceptedOn !== undefined) return { outcome: "accepted", deleteBy };
  if (state === "submitted" || state === "created") return { outcome: "submitted", deleteBy };
  if (rejection !== undefined) {
    const { code, message } = rejection;
    return { outcome: "rejected", code, message: `${message} Have the stamp collect and save again.` };
  }
  const message = `An earlier import of it is ${state}, and takes no upload any more. Have the stamp save it again: it then gets an id of its own.`;
  return { outcome: "failed", code: "InvalidState", message };
}

type BundleError = RefusedError | NotTheSavedFileError | FileChangedError;

const isOfThisBundle = (error: unknown): error is BundleError =>
  (error instanceof RefusedError && error.status < 500) ||
  error instanceof NotTheSavedFileError ||
  error instanceof FileChangedError;

const codeOf = (error: BundleError): string => (error instanceof FileChangedError ? "FileChanged" : error.code);

const words = {
  accepted: "accepted",
  sentBefore: "sent before",
  submitted: "submitted",
  rejected: "rejected",
  failed: "failed",
} as const;

function linesOf(folder: string, outcomes: readonly Outcome[]): string[] {
  if (outcomes.length === 0) return [`Nothing is saved in ${folder}: no file there ends in .manifest.`];
  const rows = outcomes.map(({ file, outcome, code, message, deleteBy }) => [
    words[outcome],
    file,
    message === undefined ? `deleted ${time(deleteBy ?? "")} at the latest` : `${message} (${code})`,
  ]);
  const failed = outcomes.filter(({ outcome }) => outcome === "failed" || outcome === "rejected").length;
  const summary =
    failed === 0 ? [] : [`${failed} of ${outcomes.length} could not be imported. Nothing of them was deleted here.`];
  return [...table(["outcome", "file", ""], rows), ...summary];
}
