import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Compiler, findCompiler } from "./compiler/compiler.ts";
import { type Deployment, parseSnapshot } from "./facts/deployment.ts";
import { facts } from "./facts.ts";

/**
 * `npm run infra:check`: compiles and lints every Bicep file, where a warning is an error, then holds the deployment that
 * `check.bicepparam` describes to the facts. One line each; exit code 1 on anything that is not so.
 */

const folder = import.meta.dirname;
const checkedParameters = "check.bicepparam";
const somewhere = {
  "--subscription-id": "00000000-0000-4000-8000-000000000001",
  "--tenant-id": "00000000-0000-4000-8000-000000000002",
  "--location": "westeurope",
};

type Verdict = { readonly subject: string; readonly problems: readonly string[] };
const holds = (verdict: Verdict): boolean => verdict.problems.length === 0;

async function main(): Promise<void> {
  const compiler = await findCompiler();
  console.log(compiler.origin);
  const files = report(await lintFiles(compiler));
  if (files.failed > 0) return finish(files);
  const deployment = await predictDeployment(compiler);
  const held = report(facts.map(({ name, problems }) => ({ subject: name, problems: problems(deployment) })));
  finish({ passed: files.passed + held.passed, failed: held.failed });
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
async function predictDeployment(compiler: Compiler): Promise<Deployment> {
  const copy = await mkdtemp(join(tmpdir(), "stamp-intake-infra-"));
  try {
    await cp(folder, copy, { recursive: true, filter: (path) => !path.startsWith(join(folder, "compiler")) });
    const where = Object.entries(somewhere).flat();
    const outcome = await compiler.run("snapshot", join(copy, checkedParameters), "--mode", "overwrite", ...where);
    if (outcome.code !== 0) throw new Error(`The compiler cannot work out the deployment.\n${outcome.stderr.trim()}`);
    return parseSnapshot(
      await readFile(join(copy, checkedParameters.replace(".bicepparam", ".snapshot.json")), "utf8"),
    );
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

type Count = { readonly passed: number; readonly failed: number };

function report(verdicts: readonly Verdict[]): Count {
  for (const verdict of verdicts) {
    console.log(`${holds(verdict) ? "ok    " : "FAILED"}  ${verdict.subject}`);
    for (const problem of verdict.problems) console.log(`        ${problem}`);
  }
  const passed = verdicts.filter(holds).length;
  return { passed, failed: verdicts.length - passed };
}

function finish({ passed, failed }: Count): void {
  console.log(`infra: ${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
