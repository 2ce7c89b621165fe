import { mkdir } from "node:fs/promises";
import type { Command } from "commander";
import { z } from "zod";
import { purposes } from "../../shared/api/primitives.ts";
import { currentTerms, terms as publishedTerms } from "../../terms/index.ts";
import { exitCodes, UsageError } from "../failure.ts";
import { signingKey } from "../keys.ts";
import { size } from "../output.ts";
import { manifestPath, type SavedBundle } from "../saved.ts";
import { saveBundle } from "../saving.ts";
import { type Context, type Run, stampProfile } from "./context.ts";
import { describeLogs, logOptions, withLogOptions } from "./description.ts";
import { as, purpose, terms } from "./options.ts";
import { readablePath, typedPath } from "./paths.ts";

/** `save`: puts a bundle on a share with a signed manifest, for whoever brings it to the service later; and `terms`, to be read before. No line is needed. */

const saveOptions = logOptions.extend({
  as: z.string(),
  purpose: purposes.optional(),
  terms: z.string().default(currentTerms.version),
});

export function addSave(program: Command, run: Run): void {
  const save = program
    .command("save <zip> <folder>")
    .description("save a bundle on a share, signed, to be imported later from a machine that is connected")
    .addOption(as())
    .addOption(purpose())
    .addOption(terms());
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
  const consent = {
    decidedBy: options.as,
    decidedOn: now.toISOString(),
    termsVersion: options.terms,
    purposes: options.purpose,
  };
  await mkdir(target, { recursive: true });
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
  context.output.result({ ...saved.manifest, file: saved.path, manifest: manifestPath(saved.path) }, ...linesOf(saved));
  return exitCodes.fine;
}

function linesOf({ path, manifest }: SavedBundle): string[] {
  const { bundleId, consent, sizeBytes } = manifest;
  return [
    "Saved and signed. Nothing has been sent.",
    `  bundle    ${bundleId}`,
    `  file      ${path}, ${size(sizeBytes)}`,
    `  manifest  ${manifestPath(path)}`,
    `  consent   ${consent.decidedBy}, to the terms ${consent.termsVersion}; to read them: npm run stamp -- terms ${consent.termsVersion}`,
    "Next: bring both files to a machine that is connected, and there: npm run stamp -- import <folder>",
  ];
}

function showTerms({ output }: Context, version = currentTerms.version): number {
  const found = publishedTerms.find((each) => each.version === version);
  if (found === undefined) {
    const known = publishedTerms.map((each) => each.version).join(", ");
    throw new UsageError(`This client carries no terms ${version}, only ${known}`);
  }
  output.result(found, found.text.trimEnd());
  return exitCodes.fine;
}
