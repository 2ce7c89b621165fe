import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { settings } from "../../shared/settings.ts";

/** The demo's own service: `local/start.ts` as a process of its own, on a free port, with all its state in one folder. */

const serviceFile = z.object({ origin: z.url(), pid: z.int(), storage: z.object({ blob: z.url(), table: z.url() }) });

export type OwnService = {
  readonly origin: string;
  /** Where its blobs and its tables are; another place after a restart. */
  readonly blobEndpoint: string;
  readonly tableEndpoint: string;
  /** All that it has printed. */
  readonly printed: () => string;
  /** Stops the service and its storage, and waits for both. */
  readonly stop: () => Promise<void>;
};

const startLimitMs = 60_000;

/** Starts the service; `clockOffsetDays` moves its clock of retention. Throws with what it printed where it does not start. */
export async function startOwnService(folder: string, clockOffsetDays = 0): Promise<OwnService> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "..", "start.ts")], {
    env: { ...plainEnvironment(), LOCAL_DIR: folder, PORT: "0", CLOCK_OFFSET_DAYS: String(clockOffsetDays) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (printed += chunk.toString("utf8")));
  const { origin, storage } = await announced(folder, child, () => printed);
  return {
    origin,
    blobEndpoint: storage.blob,
    tableEndpoint: storage.table,
    printed: () => printed,
    stop: () => stop(child),
  };
}

/** The environment without any setting of the service's: the demo's own is as it comes. */
function plainEnvironment(): Record<string, string | undefined> {
  const settingNames = [...Object.keys(settings.shape), "AzureWebJobsStorage"];
  return { ...process.env, ...Object.fromEntries(settingNames.map((name) => [name, undefined])) };
}

async function announced(
  folder: string,
  child: ChildProcess,
  printed: () => string,
): Promise<z.infer<typeof serviceFile>> {
  const deadline = Date.now() + startLimitMs;
  while (isRunning(child) && Date.now() < deadline) {
    const file = await readFile(join(folder, "service.json"), "utf8").catch(() => undefined);
    const service = file === undefined ? undefined : serviceFile.parse(JSON.parse(file));
    if (service !== undefined && service.pid === child.pid) return service;
    await pause(50);
  }
  await stop(child);
  throw new Error(`The service did not start. It printed:\n${printed()}`);
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

async function stop(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
