import { mkdir, stat } from "node:fs/promises";
import type { Command } from "commander";
import { z } from "zod";
import { purposes } from "../../shared/api/primitives.ts";
import { currentTerms, terms as publishedTerms } from "../../terms/index.ts";
import { exitCodes, UsageError } from "../failure.ts";
import { signingKey } from "../keys.ts";
import { size, time } from "../output.ts";
import { manifestPath, type SavedBundle } from "../saved.ts";
import { saveBundle } from "../saving.ts";
import { type Context, type Run, stampProfile } from "./context.ts";
import { describeLogs, logOptions, withLogOptions } from "./description.ts";
import { as, purpose, terms } from "./options.ts";
import { readablePath, typedPath } from "./paths.ts";

/** `save`: puts a bundle on a share with a signed manifest, for whoever brings it to the service later; and `terms`, to be read before. No line is needed. */

const saveOptions = logOptions.extend({
  as: z.string(),
  create: z.boolean().default(false),
  purpose: purposes.optional(),
  terms: z.string().default(currentTerms.version),
});

export function addSave(program: Command, run: Run): void {
  const save = program
    .command("save <zip> <folder>")
    .description("save a bundle on a share, signed, to be imported later from a machine that is connected")
    .addOption(as())
    .addOption(purpose())
    .addOption(terms())
    .option("--create", "make the folder if it is not there");
  withLogOptions(save).action((zip: string, folder: string, _options, command: Command) =>
    run(command, (context) => saveLocally(context, zip, folder, command.opts())),
  );
  program
    .command("terms [version]")
    .description("the consent terms as this client carries them (default: the newest)")
    .action((version: string | undefined, _options, command: Command) =>
      run(command, async (context) => showTerms(context, version)),
    );
}

async function saveLocally(context: Context, zip: string, folder: string, given: unknown): Promise<number> {
  const options = saveOptions.parse(given);
  const profile = await stampProfile(context);
  const [path, target] = [await readablePath(zip), typedPath(folder)];
  const now = new Date();
  const { version } = termsOf(options.terms);
  const consent = {
    decidedBy: options.as,
    decidedOn: now.toISOString(),
    termsVersion: version,
    purposes: options.purpose,
  };
  await (options.create ? makeFolder : requireFolder)(target);
  const saved = await saveBundle(
    path,
    target,
    { ...describeLogs(options, now, profile.registration.stampVersion), consent },
    {
      stampId: profile.stampId,
      key: await signingKey(profile.privateKey),
      now: () => new Date(),
      signal: context.signal,
    },
  );
  context.output.result(
    { ...saved.manifest, file: saved.path, manifest: manifestPath(saved.path) },
    ...linesOf(saved, now),
  );
  return exitCodes.fine;
}

/** A share that is not mounted looks like a missing folder: what is saved in one made in its place fills the stamp's own disk. */
async function requireFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  const advice = found === undefined ? "is not there: mount the share, or add --create to make it" : "is no folder";
  throw new UsageError(`${path} ${advice}.`);
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new UsageError(`${path} is no folder, and cannot be made one (${why}): check the path and its permissions`);
  }
}

function linesOf({ path, manifest }: SavedBundle, now: Date): string[] {
  const { bundleId, consent, savedOn, sizeBytes } = manifest;
  return [
    Date.parse(savedOn) < now.getTime()
      ? `Saved and signed before, on ${time(savedOn)}: that manifest stands as it is. Nothing has been sent.`
      : "Saved and signed. Nothing has been sent.",
    `  bundle    ${bundleId}`,
    `  file      ${path}, ${size(sizeBytes)}`,
    `  manifest  ${manifestPath(path)}`,
    `  consent   ${consent.decidedBy}, to the terms ${consent.termsVersion}; to read them: npm run stamp -- terms ${consent.termsVersion}`,
    "Next: bring both files to a machine that is connected, and there: npm run stamp -- import <folder>",
  ];
}

function showTerms({ output }: Context, version = currentTerms.version): number {
  const found = termsOf(version);
  output.result(found, found.text.trimEnd());
  return exitCodes.fine;
}

/** Terms that can be read here; an import under any others is refused once the way back is long. */
function termsOf(version: string) {
  const found = publishedTerms.find((each) => each.version === version);
  if (found !== undefined) return found;
  const known = publishedTerms.map((each) => each.version).join(", ");
  throw new UsageError(`This client carries no terms ${version}, only ${known}`);
}
