import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { exitCodes, UsageError } from "../failure.ts";
import { size, table, time } from "../output.ts";
import { type Candidate, type Choice, choosePruning } from "../pruning.ts";
import { readFolder, removeSaved, type SavedBundle, savedSize } from "../saved.ts";
import { savingSuffix } from "../saving.ts";
import type { Context, Run } from "./context.ts";
import { folderPath } from "./paths.ts";

/** `prune`: keeps the share of saved bundles from filling, as nothing else watches it. Files of others are not touched. */

const pruneOptions = z.object({
  maxAge: z.number().optional(),
  maxSize: z.number().optional(),
  dryRun: z.boolean().default(false),
  unsent: z.boolean().default(false),
});

export function addPrune(program: Command, run: Run): void {
  program
    .command("prune <folder>")
    .description(
      "delete saved bundles that the service has accepted, the oldest first, so that the share does not fill",
    )
    .option("--max-age <age>", "what is older goes: 30d, 12h", ageOf)
    .option("--max-size <size>", "most that may stay: 50GB, 500MB", sizeOf)
    .option("--dry-run", "only tell what would be done")
    .option("--unsent", "delete also what was never sent: it is then lost")
    .action((folder: string, _options, command: Command) =>
      run(command, async (context) => prune(context, await folderPath(folder), command.opts())),
    );
}

type Saved = Candidate & { readonly saved: SavedBundle };

async function prune(context: Context, folder: string, given: unknown): Promise<number> {
  const { maxAge, maxSize, dryRun, unsent } = pruneOptions.parse(given);
  if (maxAge === undefined && maxSize === undefined) {
    throw new UsageError("Say what may stay: --max-age 30d, --max-size 50GB, or both");
  }
  const now = new Date();
  const { choices, ...sums } = choosePruning(
    await candidates(folder),
    { maxAgeMs: maxAge, maxBytes: maxSize, unsent },
    now,
  );
  const unfinished = await unfinishedSaves(folder, now);
  if (!dryRun) {
    for (const { of, goes } of choices) if (goes) await removeSaved(of.saved);
    for (const name of unfinished) await rm(join(folder, name), { force: true });
  }
  const told = choices.map(({ of: { name, savedOn, sizeBytes, sent }, goes, why }) => ({
    file: name,
    savedOn: savedOn.toISOString(),
    sizeBytes,
    sent,
    deleted: goes,
    why,
  }));
  context.output.result({ dryRun, bundles: told, unfinished, ...sums }, ...linesOf(choices, unfinished, sums, dryRun));
  return sums.isOverLimit ? exitCodes.refused : exitCodes.fine;
}

async function candidates(folder: string): Promise<Saved[]> {
  const { bundles } = await readFolder(folder);
  return await Promise.all(
    bundles.map(async (saved) => ({
      saved,
      name: saved.name,
      savedOn: new Date(saved.manifest.savedOn),
      sizeBytes: await savedSize(saved),
      sent: saved.sent !== undefined,
    })),
  );
}

const dayMs = 86_400_000;

/** What saves have left that were killed; one that is at work is younger. */
async function unfinishedSaves(folder: string, now: Date): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(".") && name.endsWith(savingSuffix));
  const ages = await Promise.all(
    names.map(async (name) => ({ name, ageMs: now.getTime() - (await stat(join(folder, name))).mtimeMs })),
  );
  return ages.filter(({ ageMs }) => ageMs > dayMs).map(({ name }) => name);
}

const reasons = {
  age: "too old, and sent",
  size: "the oldest that was sent, to make room",
  notSent: "should go, but was never sent: import it, or --unsent",
  within: "within the limits",
} as const;

type Sums = { readonly bytesFreed: number; readonly bytesLeft: number; readonly isOverLimit: boolean };

function linesOf(
  choices: readonly Choice<Saved>[],
  unfinished: readonly string[],
  { bytesFreed, bytesLeft, isOverLimit }: Sums,
  dryRun: boolean,
): string[] {
  const does = dryRun ? "would go" : "deleted";
  const rows = choices.map(({ of, goes, why }) => [
    goes ? does : "stays",
    of.name,
    size(of.sizeBytes),
    time(of.savedOn.toISOString()),
    goes && !of.sent ? "never sent, as told" : reasons[why],
  ]);
  const leftovers = unfinished.map((name) => [does, name, "", "", "a save that was never finished"]);
  return [
    ...(rows.length + leftovers.length === 0
      ? ["Nothing is saved there."]
      : table(["", "file", "size", "saved", "why"], [...rows, ...leftovers])),
    `${size(bytesFreed)} ${dryRun ? "would be freed" : "freed"}, ${size(bytesLeft)} ${dryRun ? "would stay" : "stay"}.`,
    ...(isOverLimit ? ["The limit is not kept: what was never sent stays."] : []),
  ];
}

const ageUnits: Readonly<Record<string, number>> = { h: 3_600_000, d: dayMs };
const sizeUnits: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12 };

const ageOf = (text: string): number => amountOf(text, /^(\d+)([hd])$/, ageUnits, "an age such as 30d or 12h");
const sizeOf = (text: string): number => amountOf(text, /^(\d+)([MGT]B)$/, sizeUnits, "a size such as 50GB or 500MB");

function amountOf(text: string, form: RegExp, units: Readonly<Record<string, number>>, such: string): number {
  const [, number = "", unit = ""] = form.exec(text) ?? [];
  const factor = units[unit];
  if (factor === undefined) throw new InvalidArgumentError(`It must be ${such}.`);
  return Number(number) * factor;
}
