import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { azuriteArguments, azuriteEntry, connectionString, listeningEndpoints } from "./azuriteProcess.ts";
import { readJson, readOrCreateJson, writeJson } from "./files.ts";
import { logLine } from "./host/log.ts";
import { isAlive, waitUntilGone } from "./processes.ts";

/**
 * Azurite saves every few seconds, so killing it with the service would lose what was acknowledged. It is therefore a process of
 * its own in its own process group: it outlives a killed service, and the next start with the same folder goes on with it.
 */
export type Azurite = {
  /** The connection string, once it answers. Throws an `Error` with Azurite's output if it does not start. */
  readonly ready: () => Promise<string>;
  /** Whether it was running already. */
  readonly found: boolean;
  /** Ends it and waits until it has saved and gone. It is signalled once only: a second signal makes it lose its state. */
  readonly stop: () => Promise<void>;
};

const startLimitMilliseconds = 60_000;
const stopLimitMilliseconds = 120_000;
const settleLimitMilliseconds = startLimitMilliseconds;
const probeLimitMilliseconds = 5_000;

const account = z.object({ name: z.string(), key: z.base64() });
type Account = z.infer<typeof account>;
const runRecord = z.object({ pid: z.int() });

/** Finds the Azurite of `directory` that still runs, or begins to start one on free ports. */
export async function openAzurite(directory: string): Promise<Azurite> {
  const owner = await readOrCreateJson(join(directory, "storage-account.json"), account, makeAccount);
  const recordPath = join(directory, "azurite.json");
  const logPath = join(directory, "azurite.log");

  const known = await readJson(recordPath, runRecord);
  const running = known && (await findRunning(known.pid, logPath, owner));
  if (known !== undefined && running !== undefined) {
    return { ready: async () => running, found: true, stop: () => stop(known.pid) };
  }
  const pid = await start(join(directory, "azurite"), logPath, owner);
  await writeJson(recordPath, { pid } satisfies z.infer<typeof runRecord>);
  return { ready: () => waitForStart(pid, logPath, owner), found: false, stop: () => stop(pid) };
}

/** An account of this folder's own: only the Azurite that was started for it knows the key, which is how it is told from any other. */
const makeAccount = async (): Promise<Account> => ({ name: "stampintake", key: randomBytes(64).toString("base64") });

async function start(dataDirectory: string, logPath: string, owner: Account): Promise<number> {
  // A file, not a pipe: writing to a pipe of a killed service would end it.
  const log = await open(logPath, "w", 0o600);
  try {
    const child = spawn(process.execPath, [azuriteEntry(), ...azuriteArguments, "--location", dataDirectory], {
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: { ...process.env, AZURITE_ACCOUNTS: `${owner.name}:${owner.key}` },
    });
    child.unref();
    if (child.pid === undefined) throw new Error("Azurite could not be started.");
    return child.pid;
  } finally {
    await log.close();
  }
}

async function waitForStart(pid: number, logPath: string, owner: Account): Promise<string> {
  const deadline = Date.now() + startLimitMilliseconds;
  while (isAlive(pid) && Date.now() < deadline) {
    const found = listeningEndpoints(await readFile(logPath, "utf8"), owner.name);
    if (found !== undefined) return connectionString(owner, found);
    await sleep(20);
  }
  throw new Error(`Azurite did not start: ${(await readFile(logPath, "utf8")).trim()}`);
}

/**
 * The connection string of the Azurite that was started as `pid`, if it is still there. It may yet be starting, or saving on its
 * way out, and a second one on the same data would destroy it: so it is waited for until it answers or is gone.
 */
async function findRunning(pid: number, logPath: string, owner: Account): Promise<string | undefined> {
  const deadline = Date.now() + settleLimitMilliseconds;
  while (isAlive(pid) && Date.now() < deadline) {
    const running = await connectTo(logPath, owner);
    if (running !== undefined || (await isAnotherProgram(pid))) return running;
    await sleep(100);
  }
  return undefined;
}

/** Whether the process id has gone to something else, such as after a reboot. Only Linux tells; elsewhere it may be Azurite. */
async function isAnotherProgram(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command !== "" && !command.includes("azurite");
}

/**
 * The connection string of the Azurite that wrote the log, if it still listens there; else `undefined`. It is known by taking
 * this folder's key and no other: whatever has its ports by now takes neither, or anything.
 */
async function connectTo(logPath: string, owner: Account): Promise<string | undefined> {
  const endpoints = listeningEndpoints(await readFile(logPath, "utf8").catch(() => ""), owner.name);
  if (endpoints === undefined) return undefined;
  const [mine, other] = [connectionString(owner, endpoints), connectionString(await makeAccount(), endpoints)];
  return (await statusFor(mine)) === 200 && (await statusFor(other)) === 403 ? mine : undefined;
}

async function statusFor(storage: string): Promise<number | undefined> {
  const { QueueServiceClient, RestError } = await import("@azure/storage-queue");
  const queues = QueueServiceClient.fromConnectionString(storage, { retryOptions: { maxTries: 1 } });
  try {
    const answer = await queues.getProperties({ abortSignal: AbortSignal.timeout(probeLimitMilliseconds) });
    return answer._response.status;
  } catch (error) {
    return error instanceof RestError ? error.statusCode : undefined;
  }
}

async function stop(pid: number): Promise<void> {
  if (!isAlive(pid)) return;
  // Windows knows no polite signal: what was written last is saved only if it gets the time for it.
  if (process.platform === "win32") await sleep(6_000);
  process.kill(pid, "SIGTERM");
  if (!(await waitUntilGone(pid, stopLimitMilliseconds)))
    logLine(`Azurite (process ${pid}) is still saving; leave it to end by itself.`);
}
