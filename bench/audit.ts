import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { temporaryFolder } from "./folder.ts";
import { alternate, contender, medians, ratios, timed } from "./rounds.ts";
import { inMebibytes, mebibyte, type Sizes } from "./sizes.ts";
import { type Row, ratioRow } from "./table.ts";
import { makeExport } from "./verifying/makeExport.ts";

/** The offline verifier as an auditor runs it, a process of its own, against hashing the same lines and nothing else. */

const root = join(import.meta.dirname, "..");
const mostBytes = 100 * mebibyte;

export async function measureAudit(
  undo: AsyncDisposableStack,
  { exportedEvents, closeRounds }: Sizes,
  say: (line: string) => void,
): Promise<Row[]> {
  say(`Verifying an export of ${exportedEvents} events`);
  const { directory, thumbprint, partitions, checkpoints, leaves } = await makeExport(
    await temporaryFolder(undo),
    exportedEvents,
  );
  const { flags, script } = await auditCommand();
  const verify = [...flags, script, "verify", directory, "--trust", thumbprint];
  const peaks: number[] = [];
  const verifying = contender("verify", () => timed(async () => void peaks.push(await peakOf(verify))));
  const hashing = contender("hash", () => hashLines("read", directory));
  const inMemory = contender("hash in memory", () => hashLines("memory", directory));
  await alternate([verifying, hashing, inMemory], closeRounds, say);
  const idle = await peakOf([...flags, "-e", "setTimeout(() => {}, 500)"]);
  const above = Math.max(...peaks) - idle;
  const what = `verifying an export of ${exportedEvents.toLocaleString("en")} events`;
  return [
    ratioRow(
      `${what}: its speed ÷ that of reading the same lines and hashing them one by one, nothing else`,
      ratios(hashing, verifying),
      `${medians(hashing, verifying)}; ${partitions} partitions, ${checkpoints} checkpoints, ${leaves} leaves, all checked`,
      { atLeast: 0.25 },
    ),
    ratioRow(
      `${what}: its speed ÷ that of hashing them one by one where they stand in memory already`,
      ratios(inMemory, verifying),
      medians(inMemory, verifying),
    ),
    {
      what: `peak memory (RSS) of ${what}, above an idle Node`,
      value: inMebibytes(above),
      detail: `the most of ${peaks.length}; ${inMebibytes(Math.max(...peaks))} − ${inMebibytes(idle)}`,
      target: { words: `≤ ${inMebibytes(mostBytes)}`, met: above <= mostBytes },
    },
  ];
}

const manifest = z.object({ scripts: z.object({ audit: z.string() }) });

/** Node's flags and the script, as `npm run audit` has them. */
async function auditCommand(): Promise<{ flags: string[]; script: string }> {
  const { scripts } = manifest.parse(JSON.parse(await readFile(join(root, "package.json"), "utf8")));
  const words = scripts.audit.split(" ").slice(1);
  return { flags: words.filter((word) => word.startsWith("--")), script: join(root, words.at(-1) ?? "") };
}

/** Runs Node to its end and gives the highest resident set that Linux tells of it. Throws where it ends with anything but 0. */
async function peakOf(parameters: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, parameters, { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(child, "exit");
  let peak = 0;
  while (child.exitCode === null && child.signalCode === null) {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024);
    await Promise.race([pause(20), ended]);
  }
  await ended;
  if (child.exitCode !== 0) throw new Error(`node ${parameters.join(" ")} ended with ${child.exitCode}`);
  return peak;
}

async function hashLines(mode: "read" | "memory", directory: string): Promise<number> {
  const script = join(import.meta.dirname, "verifying", "hashLines.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, mode, join(directory, "events.ndjson")]);
  return z.coerce.number().parse(stdout.trim());
}
