import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { land, openAccount, place } from "./reading/place.ts";
import { inMebibytes, mebibyte, type Sizes } from "./sizes.ts";
import type { Stage } from "./stage.ts";
import type { Row } from "./table.ts";

/** The most memory that verification takes above what the same process takes while it waits. */

const measured = z.object({ idleBytes: z.number(), peakBytes: z.number() });
const mostBytes = 128 * mebibyte;

export async function measureMemory(
  stage: Stage,
  { memoryBytes, memoryRounds }: Sizes,
  say: (line: string) => void,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const sizeBytes of memoryBytes) {
    const size = inMebibytes(sizeBytes);
    say(`Memory of a verification of ${size}`);
    rows.push(await rowFor(size, await readRepeatedly(stage, sizeBytes, memoryRounds)));
  }
  return rows;
}

type Measured = z.infer<typeof measured>;

/** Each time in a process of its own: memory that a process took once it may not give back. */
async function readRepeatedly({ connectionString }: Stage, sizeBytes: number, times: number): Promise<Measured[]> {
  const { at, version } = await place(openAccount(connectionString), await land(connectionString, sizeBytes));
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
function rowFor(size: string, results: readonly Measured[]): Row {
  const above = results.map(({ idleBytes, peakBytes }) => peakBytes - idleBytes);
  const worst = results[above.indexOf(Math.max(...above))];
  if (worst === undefined) throw new RangeError("Nothing was measured");
  const aboveBytes = worst.peakBytes - worst.idleBytes;
  return {
    what: `peak memory (RSS) of verifying ${size}, above idle`,
    value: inMebibytes(Math.round(aboveBytes / mebibyte) * mebibyte),
    detail: `the most of ${results.length}; ${inMebibytes(worst.peakBytes)} − ${inMebibytes(worst.idleBytes)}`,
    target: { words: `≤ ${inMebibytes(mostBytes)}`, met: aboveBytes <= mostBytes },
  };
}
