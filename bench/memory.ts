import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { type Plan, writeLargeBundle } from "./files/largeBundle.ts";
import { blocksOfFile, land, openAccount, place } from "./reading/place.ts";
import { inMebibytes, mebibyte, type Sizes } from "./sizes.ts";
import type { Stage } from "./stage.ts";
import type { Row } from "./table.ts";

/** The most memory that verification, with the inventory that it takes, needs above what the same process takes while it waits. */

const measured = z.object({ idleBytes: z.number(), peakBytes: z.number(), files: z.number() });
const mostBytes = 128 * mebibyte;

export async function measureMemory(
  stage: Stage,
  { memoryBytes, memoryRounds, largeBundle }: Sizes,
  say: (line: string) => void,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const sizeBytes of memoryBytes) {
    for (const deflatesParts of [false, true]) {
      const what = `${inMebibytes(sizeBytes)}, role zips ${deflatesParts ? "deflated" : "stored"}`;
      say(`Memory of a verification of ${what}`);
      const plan = { ...largeBundle, sizeBytes, deflatesParts };
      rows.push(rowFor(what, plan, await readRepeatedly(stage, plan, memoryRounds)));
    }
  }
  return rows;
}

type Measured = z.infer<typeof measured>;

/** Each time in a process of its own: memory that a process took once it may not give back. */
async function readRepeatedly({ connectionString, folder }: Stage, plan: Plan, times: number): Promise<Measured[]> {
  const path = join(folder, "AzureStackLogs-20240927104305-MEMORY-ERCS01.zip");
  await writeLargeBundle(path, plan);
  const landed = await land(connectionString, blocksOfFile(path));
  await rm(path);
  const { at, version } = await place(openAccount(connectionString), landed);
  const results: Measured[] = [];
  for (let time = 0; time < times; time++) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(import.meta.dirname, "reading", "readOnce.ts")],
      {
        env: { ...process.env, BENCH_STORAGE: connectionString, BENCH_BUNDLE: JSON.stringify({ at, version }) },
      },
    );
    results.push(measured.parse(JSON.parse(stdout)));
  }
  return results;
}

/** The worst of them: a bound is not a matter of medians. */
function rowFor(what: string, { parts, filesPerPart }: Plan, results: readonly Measured[]): Row {
  if (results.some(({ files }) => files < parts * filesPerPart)) throw new Error("The inventory lacks files");
  const above = results.map(({ idleBytes, peakBytes }) => peakBytes - idleBytes);
  const worst = results[above.indexOf(Math.max(...above))];
  if (worst === undefined) throw new RangeError("Nothing was measured");
  const aboveBytes = worst.peakBytes - worst.idleBytes;
  return {
    what: `peak memory (RSS) of verifying ${what}, with the inventory of ${(parts * filesPerPart).toLocaleString("en")} files, above idle`,
    value: inMebibytes(Math.round(aboveBytes / mebibyte) * mebibyte),
    detail: `the most of ${results.length}; ${inMebibytes(worst.peakBytes)} − ${inMebibytes(worst.idleBytes)}`,
    target: { words: `≤ ${inMebibytes(mostBytes)}`, met: aboveBytes <= mostBytes },
  };
}
