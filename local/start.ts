import { enableCompileCache } from "node:module";
import { join, relative } from "node:path";

/** `npm start`: the whole service on one machine (`API.md`, On one machine). */

// Before anything large is loaded, and inherited by Azurite: it halves the time to the ready line.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "../node_modules/.cache/compile");
enableCompileCache(process.env.NODE_COMPILE_CACHE);
// A reader of the output that went away is no reason to die in the middle of a drain.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

const { startHost } = await import("./service.ts");
const { describeError, logLine } = await import("./host/log.ts");

type Service = Awaited<ReturnType<typeof startHost>>;

/** The real host gives up when it has to replace a worker for the fourth time. */
const workersToReplace = 3;
const parentCheckMilliseconds = 200;

const starting = startHost();
let stopping = false;

async function stop(exitCode: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  await (await starting).stop();
  process.exit(exitCode);
}

/** A signal may come twice, from the terminal and from npm: one is enough. */
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => void stop(0));

/**
 * npm runs scripts through a shell that dies of a signal without passing it on, and would leave the service behind. So under npm
 * the end of the parent is a signal too.
 */
function endWithParent(): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) void stop(0);
  }, parentCheckMilliseconds).unref();
}

/**
 * An error that nobody caught. The real host answers 500 to whatever the worker was at, and starts a new worker. Here there is no
 * worker to replace: runs under way fail in the same way, but the app's modules and what they hold in memory stay as they are.
 */
function outliveErrors(service: Service): void {
  let replaced = 0;
  const onError = (error: unknown) => {
    logLine(`Nobody caught this, so what was under way fails: ${describeError(error)}`);
    service.abandonAll(new Error("The worker was replaced."));
    replaced += 1;
    if (replaced > workersToReplace) void stop(1);
  };
  process.on("uncaughtException", onError);
  process.on("unhandledRejection", onError);
}

function greet({ origin, directory }: Service): void {
  const folder = relative(process.cwd(), directory) || ".";
  console.log(
    [
      `Stamp Intake is ready at ${origin}`,
      `Keys, tokens' issuer and all data are in ${folder}; npm run --silent token -- --role R prints a token (R, C, E or A).`,
      "Try next: npm run demo, or npm run stamp -- register",
    ].join("\n"),
  );
}

/** What the caller can put right is one line; anything else is our mistake, and its stack helps. */
function explain(error: unknown): string {
  return error instanceof Error && error.name === "ConfigurationError" ? error.message : describeError(error);
}

endWithParent();
try {
  const service = await starting;
  outliveErrors(service);
  greet(service);
} catch (error) {
  logLine(`Stamp Intake cannot start. ${explain(error)}`);
  process.exit(1);
}
