import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { watch } from "../secrets/watch.ts";

/** The service under test: `npm start`'s own command, as a process of its own with a folder of its own. */

const project = resolve(import.meta.dirname, "../../..");
const startLimitMilliseconds = 120_000;

export type Environment = Readonly<Record<string, string>>;

export type Service = {
  /** Changes with every start, as each takes a free port. */
  readonly origin: string;
  /** Its `LOCAL_DIR`. */
  readonly directory: string;
  readonly pid: number;
  /** Everything that it printed, over all starts. */
  readonly output: () => string;
  /** SIGTERM, and waits for the end; the folder stays. Gives the exit code. */
  readonly stop: () => Promise<number | null>;
  /** SIGKILL for the service alone: its storage lives on. */
  readonly kill: () => Promise<void>;
  /** Stops, where it runs, and starts on the same folder; `environment` replaces what an earlier start was given. */
  readonly restart: (environment?: Environment) => Promise<void>;
  /** Stops the service and its storage, and deletes the folder. */
  readonly close: () => Promise<void>;
};

/** The service ends with the test run that started it, however that went. */
const endWithParent = `data:text/javascript,process.on("disconnect",()=>process.kill(process.pid,"SIGTERM"))`;

type Running = {
  readonly child: ChildProcess;
  /** It has ended, and all that it printed has been read. */
  readonly closed: Promise<unknown>;
  readonly origin: string;
  readonly pid: number;
};

/** Starts a service in a fresh folder. `environment` adds to, or overrides, what this process has. */
export async function startService(environment: Environment = {}): Promise<Service> {
  const directory = await mkdtemp(join(tmpdir(), "stamp-intake-system-"));
  let output = "";
  const launch = (settings: Environment) => run(directory, settings, (text) => (output += text));
  let settings = environment;
  let killed = false;
  let running: Running | undefined = await launch(settings).catch(async (error: unknown) => {
    await rm(directory, { recursive: true, force: true });
    throw error;
  });

  const now = (): Running => {
    if (running === undefined) throw new Error("The service is stopped.");
    return running;
  };
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const { child, closed } = now();
    running = undefined;
    child.kill(signal);
    await closed;
    return child.exitCode;
  };
  const restart = async (next: Environment = settings): Promise<void> => {
    if (running !== undefined) await end("SIGTERM");
    settings = next;
    running = await launch(settings);
    killed = false;
  };
  const service: Service = {
    get origin() {
      return now().origin;
    },
    get pid() {
      return now().pid;
    },
    directory,
    output: () => output,
    stop: () => end("SIGTERM"),
    kill: async () => {
      killed = true;
      await end("SIGKILL");
    },
    restart,
    close: async () => {
      // A killed service leaves its storage running: the next one takes that over, and stops it.
      if (killed && running === undefined) await restart();
      if (running !== undefined) await end("SIGTERM");
      await rm(directory, { recursive: true, force: true });
    },
  };
  return service;
}

async function run(directory: string, settings: Environment, print: (text: string) => void): Promise<Running> {
  const child = spawn(process.execPath, ["--import", endWithParent, join(project, "local/start.ts")], {
    cwd: project,
    env: { ...environmentOfServices(), PORT: "0", LOCAL_DIR: directory, ...settings },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const closed = once(child, "close");
  let told = "";
  const origin = await new Promise<string>((found, fail) => {
    const giveUp = setTimeout(() => fail(new Error(`The service did not start:\n${told}`)), startLimitMilliseconds);
    const read = (chunk: Buffer) => {
      const text = chunk.toString("utf8");
      print(text);
      watch("the service", text);
      told += text;
      const ready = /ready at (http:\/\/\S+)/.exec(told)?.[1];
      if (ready === undefined) return;
      clearTimeout(giveUp);
      found(ready);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    // Not its exit: what it said last may not have been read by then.
    child.once("close", (code) => {
      clearTimeout(giveUp);
      fail(new Error(`The service ended with ${code} before it was ready:\n${told}`));
    });
  });
  if (child.pid === undefined) throw new Error("The service has no process id.");
  return { child, closed, origin, pid: child.pid };
}

/** What the test runner adds for itself, and settings of the service that this machine may happen to have. */
const notInherited = [
  /^(VITEST|NODE_ENV|NODE_OPTIONS|TEST$|MODE$|DEV$|PROD$|BASE_URL$|SSR$)/,
  /^(APP_ROLE|OTHER_APP|AzureWebJobs|StateStorage|BUNDLE_ACCOUNTS|SIGNING_KEY|TOKEN_|PURGE_|ERASE_|MAX_BUNDLE|CLOCK_|PUBLIC_ORIGIN|RATE_)/,
];

/** What this process has, without that. `STAMP_INTAKE_ARTIFACT` passes, and has the built file tested in place of the sources. */
function environmentOfServices(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !notInherited.some((pattern) => pattern.test(name))),
  );
}

/** Runs a script of the project against the service's folder; gives what it printed to stdout. Throws where it fails. */
export async function runScript(directory: string, script: string, ...parameters: string[]): Promise<string> {
  const child = spawn(process.execPath, [join(project, script), ...parameters], {
    cwd: project,
    env: { ...environmentOfServices(), LOCAL_DIR: directory },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  let complaint = "";
  child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString("utf8")));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${complaint}`);
  return printed.trim();
}
