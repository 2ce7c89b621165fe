import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { watch } from "../secrets/watch.ts";
import { until } from "../until.ts";
import { fixtureEntry } from "./start.ts";

/** `npm start` as a process of its own, with the fixture app in place of the service's functions. */

const root = resolve(import.meta.dirname, "../../..");

export type ServiceProcess = {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly directory: string;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** The exit code, once it has ended; `null` after a signal that it did not handle. */
  readonly exitCode: () => Promise<number | null>;
};
export type RunningService = ServiceProcess & { readonly origin: string; readonly stop: () => Promise<number | null> };

const begun: ServiceProcess[] = [];
const directories: string[] = [];

/** A folder for `LOCAL_DIR`, gone after `cleanUp`. */
export async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "stamp-intake-test-"));
  directories.push(directory);
  return directory;
}

/** Through a shell, as npm runs scripts: the process is then the shell's child. */
type RunOptions = { readonly shell?: boolean };

/** Runs a file of `local/` with no setting of the test run's own. */
export function run(
  file: string,
  environment: Record<string, string>,
  args: readonly string[] = [],
  { shell = false }: RunOptions = {},
): ServiceProcess {
  const { PATH = "", TMPDIR } = process.env;
  const base = { PATH, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
  const command = [process.execPath, join(root, "local", file), ...args];
  // The command after it keeps the shell from becoming the process itself.
  const [program = "", ...rest] = shell ? ["/bin/sh", "-c", `"$0" "$@"; exit $?`, ...command] : command;
  const child = spawn(program, rest, {
    cwd: root,
    env: { ...base, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
    if (file === "start.ts") watch("the host", chunk.toString("utf8"));
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
    if (file === "start.ts") watch("the host", chunk.toString("utf8"));
  });
  const closed = once(child, "close");
  const started = {
    pid: child.pid ?? 0,
    child,
    directory: environment.LOCAL_DIR ?? "",
    stdout: () => stdout,
    stderr: () => stderr,
    exitCode: async () => {
      await closed;
      return child.exitCode;
    },
  };
  begun.push(started);
  return started;
}

/** Starts without waiting, for what is to be refused. */
export const beginService = (
  directory: string,
  environment: Record<string, string> = {},
  options: RunOptions = {},
): ServiceProcess => {
  const fixture = { STAMP_INTAKE_ARTIFACT: fixtureEntry, HOST_TEST_QUEUE: "messages" };
  return run("start.ts", { LOCAL_DIR: directory, PORT: "0", ...fixture, ...environment }, [], options);
};

/** Starts and waits for the ready line. */
export async function startService(
  directory: string,
  environment: Record<string, string> = {},
  options: RunOptions = {},
): Promise<RunningService> {
  const service = beginService(directory, environment, options);
  const origin = await until(
    "the ready line",
    () => {
      if (service.child.exitCode !== null) throw new Error(`The service ended:\n${service.stderr()}`);
      return /^Stamp Intake is ready at (http:\/\/127\.0\.0\.1:\d+)$/m.exec(service.stdout())?.[1];
    },
    60_000,
  );
  return {
    ...service,
    origin,
    stop: () => {
      service.child.kill("SIGTERM");
      return service.exitCode();
    },
  };
}

/** The process id of the folder's Azurite, if it has one. */
export async function azuritePid(directory: string): Promise<number | undefined> {
  try {
    return z.object({ pid: z.int() }).parse(JSON.parse(await readFile(join(directory, "azurite.json"), "utf8"))).pid;
  } catch {
    return undefined;
  }
}

/** Ends what the tests of a file have left running, and removes their folders. */
export async function cleanUp(): Promise<void> {
  for (const service of begun.splice(0)) {
    if (service.child.exitCode === null) service.child.kill("SIGKILL");
    await service.exitCode();
  }
  for (const directory of directories.splice(0)) {
    const pid = await azuritePid(directory);
    if (pid !== undefined && pid !== process.pid) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself, as it should.
      }
    }
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  }
}
