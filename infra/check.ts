import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Compiler, findCompiler } from "./compiler/compiler.ts";
import { type Deployment, parseSnapshot } from "./facts/deployment.ts";
import type { Fact } from "./facts/fact.ts";
import { facts, factsOfAll } from "./facts.ts";

/**
 * `npm run infra:check`: compiles and lints every Bicep file, where a warning is an error; validates the committed snapshots; holds what each
 * parameter file would deploy to the facts. One line each; exit code 1 on anything that is not so. `-- --write` writes the snapshots anew.
 */

const folder = import.meta.dirname;
/** Says all that can be said; nothing of it is committed, so that a new setting changes no snapshot. */
const complete = "check.bicepparam";
const somewhere = Object.entries({
  "--subscription-id": "00000000-0000-4000-8000-000000000001",
  "--tenant-id": "00000000-0000-4000-8000-000000000002",
  "--location": "westeurope",
}).flat();

type Verdict = { readonly subject: string; readonly problems: readonly string[] };
const holds = (verdict: Verdict): boolean => verdict.problems.length === 0;

async function main(): Promise<void> {
  const { values: flags } = parseArgs({ options: { write: { type: "boolean" } } });
  const compiler = await findCompiler();
  console.log(compiler.origin);
  const files = await lintFiles(compiler);
  report(files);
  if (!files.every(holds)) return finish(files);
  const snapshots = (await readdir(join(folder, "snapshots"))).filter((name) => name.endsWith(".bicepparam")).sort();
  const kept = await eachInTurn(snapshots, (name) =>
    keepSnapshot(compiler, join("snapshots", name), flags.write === true),
  );
  report(kept);
  const held = [
    ...heldTo(factsOfAll, await predictDeployment(compiler, complete), complete),
    ...(
      await eachInTurn(snapshots, async (name) => heldTo(facts, await readSnapshot(join("snapshots", name)), name))
    ).flat(),
  ];
  report(held);
  finish([...files, ...kept, ...held]);
}

const heldTo = (wanted: readonly Fact[], deployment: Deployment, of: string): readonly Verdict[] =>
  wanted.map(({ name, problems }) => ({ subject: `${name} (${of})`, problems: problems(deployment) }));

/** The committed snapshot is what the compiler predicts today; `write` makes it so. */
async function keepSnapshot(compiler: Compiler, parameters: string, write: boolean): Promise<Verdict> {
  const mode = write ? "overwrite" : "validate";
  const { code, stdout, stderr } = await compiler.run(
    "snapshot",
    join(folder, parameters),
    "--mode",
    mode,
    ...somewhere,
  );
  const subject = `${snapshotOf(parameters)} ${write ? "is written" : "is what the compiler predicts"}`;
  if (code === 0) return { subject, problems: [] };
  return {
    subject,
    problems: [`it is not: npm run infra:check -- --write\n${(stderr || stdout).trim().slice(0, 4000)}`],
  };
}

const snapshotOf = (parameters: string): string => parameters.replace(/\.bicepparam$/, ".snapshot.json");

const readSnapshot = async (parameters: string): Promise<Deployment> =>
  parseSnapshot(await readFile(join(folder, snapshotOf(parameters)), "utf8"));

async function eachInTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

/** Compiles and lints every Bicep file beside this one. Whatever the compiler says, warning or error, is a problem. */
async function lintFiles(compiler: Compiler): Promise<readonly Verdict[]> {
  const files = (await readdir(folder, { recursive: true })).filter((path) => /\.bicep(param)?$/.test(path)).sort();
  if (files.length === 0) throw new Error("There is no Bicep file to check.");
  const outcomes = await Promise.all(
    ["**/*.bicep", "**/*.bicepparam"].map((all) => compiler.run("lint", "--pattern", all)),
  );
  const said = new Set(outcomes.flatMap(({ stderr }) => stderr.split("\n").filter((line) => line.trim() !== "")));
  const verdicts = files.map((file) => ({ subject: file, problems: takeLinesOf(file, said) }));
  // What is left is about no file of ours: the compiler could not do its work.
  const silentFailure = said.size === 0 && outcomes.some(({ code }) => code !== 0) && verdicts.every(holds);
  const other = silentFailure ? ["it ended with an error and said nothing"] : [...said];
  return other.length === 0 ? verdicts : [...verdicts, { subject: "the compiler itself", problems: other }];
}

/** Takes out of the compiler's lines those about one file. */
function takeLinesOf(file: string, said: Set<string>): readonly string[] {
  const own = [...said].filter((line) => line.startsWith(`${join(folder, file)}(`));
  for (const line of own) said.delete(line);
  return own.map((line) => line.slice(folder.length + 1));
}

/** Has the compiler work out the deployment. In a copy, because it writes its answer beside the file it is asked about. */
async function predictDeployment(compiler: Compiler, parameters: string): Promise<Deployment> {
  const copy = await mkdtemp(join(tmpdir(), "stamp-intake-infra-"));
  try {
    await cp(folder, copy, { recursive: true, filter: (path) => !path.startsWith(join(folder, "compiler")) });
    const outcome = await compiler.run("snapshot", join(copy, parameters), "--mode", "overwrite", ...somewhere);
    if (outcome.code !== 0) throw new Error(`The compiler cannot work out the deployment.\n${outcome.stderr.trim()}`);
    return parseSnapshot(await readFile(join(copy, snapshotOf(parameters)), "utf8"));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

function report(verdicts: readonly Verdict[]): void {
  for (const verdict of verdicts) {
    console.log(`${holds(verdict) ? "ok    " : "FAILED"}  ${verdict.subject}`);
    for (const problem of verdict.problems) console.log(`        ${problem}`);
  }
}

function finish(verdicts: readonly Verdict[]): void {
  const passed = verdicts.filter(holds).length;
  console.log(`infra: ${passed} passed, ${verdicts.length - passed} failed`);
  process.exitCode = passed === verdicts.length ? 0 : 1;
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
