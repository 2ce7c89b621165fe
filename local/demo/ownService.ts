import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";

/** The demo's own service: `local/start.ts` as a process of its own, on a free port, with all its state in one folder. */

const serviceFile = z.object({ origin: z.url(), pid: z.int(), storage: z.object({ blob: z.url() }) });

export type OwnService = {
  readonly origin: string;
  /** Where its blobs are; another place after a restart. */
  readonly blobEndpoint: string;
  /** All that it has printed. */
  readonly printed: () => string;
  /** Stops the service and its storage, and waits for both. */
  readonly stop: () => Promise<void>;
};

const startLimitMs = 60_000;

/** Starts the service; `clockOffsetDays` moves its clock of retention. Throws with what it printed where it does not start. */
export async function startOwnService(folder: string, clockOffsetDays = 0): Promise<OwnService> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "..", "start.ts")], {
    env: { ...ownSettings(), LOCAL_DIR: folder, PORT: "0", CLOCK_OFFSET_DAYS: String(clockOffsetDays) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (printed += chunk.toString("utf8")));
  const { origin, storage } = await announced(folder, child, () => printed);
  return { origin, blobEndpoint: storage.blob, printed: () => printed, stop: () => stop(child) };
}

/** The environment without what would make it another service than one of its own, as it comes. */
function ownSettings(): Record<string, string | undefined> {
  const {
    AzureWebJobsStorage: _storage,
    StateStorage: _state,
    PUBLIC_ORIGIN: _origin,
    BUNDLE_ACCOUNTS: _accounts,
    ...rest
  } = process.env;
  const retention = {
    PURGE_AFTER_DAYS: undefined,
    PURGE_AFTER_CASE_CLOSE_DAYS: undefined,
    ERASE_DELAY_HOURS: undefined,
  };
  return { ...rest, ...retention };
}

async function announced(
  folder: string,
  child: ChildProcess,
  printed: () => string,
): Promise<z.infer<typeof serviceFile>> {
  const deadline = Date.now() + startLimitMs;
  while (child.exitCode === null && Date.now() < deadline) {
    const file = await readFile(join(folder, "service.json"), "utf8").catch(() => undefined);
    const service = file === undefined ? undefined : serviceFile.parse(JSON.parse(file));
    if (service?.pid === child.pid) return serviceFile.parse(service);
    await pause(50);
  }
  await stop(child);
  throw new Error(`The service did not start. It printed:\n${printed()}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
