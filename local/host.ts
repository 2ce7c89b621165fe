import { pathToFileURL } from "node:url";
import type { LocalRun } from "../shared/localRun.ts";
import { type CoreInvocationContext, type FunctionsCore, installFunctionsCore } from "./functionsCore.ts";
import { readFunctionApp } from "./host/functions.ts";
import type { HostJson } from "./host/hostJson.ts";
import { functionsHandler, type HttpServer } from "./host/httpServer.ts";
import { createInvoker } from "./host/invoker.ts";
import { describeError, logLine } from "./host/log.ts";
import { listenToQueue, localPace, type QueuePace } from "./host/queueListener.ts";
import { startTimers } from "./host/timers.ts";

export type FunctionsHost = {
  /** Stops taking work and waits for what runs, at most `limitMilliseconds`; then the app's `appTerminate` hooks. */
  readonly stop: (limitMilliseconds: number) => Promise<void>;
  /** Fails every run under way, as the real host does when a worker dies of an unhandled rejection. */
  readonly abandonAll: (reason: Error) => void;
};

/** Loads a function app's registrations through the stand-in core: TypeScript sources or the built file. */
export async function loadFunctionApp(entry: string): Promise<FunctionsCore> {
  const core = installFunctionsCore(writeLog);
  await import(/* @vite-ignore */ pathToFileURL(entry).href);
  return core;
}

/** Prints what functions log, from information up, as the real host's console does. */
const writeLog: CoreInvocationContext["log"] = (level, category, message) => {
  if (level === "trace" || level === "debug" || level === "none") return;
  if (category === "system" && level === "information") return;
  logLine(message);
};

/**
 * Runs a loaded function app as the Functions host 4 does: HTTP, storage queues, timers, its own admin endpoints and hooks.
 * Throws an `Error` that names the function for a registration that the real host would refuse or this one cannot run.
 */
export async function startFunctionsHost(options: {
  readonly core: FunctionsCore;
  readonly hostJson: HostJson;
  readonly server: HttpServer;
  /** Where `%setting%` and the connections of triggers are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** What this host hands the app in code, as Azure's never does. */
  readonly localRun?: LocalRun;
  readonly queuePace?: QueuePace;
}): Promise<FunctionsHost> {
  const { core, hostJson, server, environment } = options;
  const { http, queues } = hostJson.extensions;
  const app = readFunctionApp(core.registrations, { routePrefix: http.routePrefix, environment });
  const isOn = ({ disabled }: { readonly disabled: boolean }) => !disabled;
  const queueSources = app.queue
    .filter(isOn)
    .map((each) => ({ ...each, connectionString: connectionOf(each, environment) }));
  const invoker = createInvoker(core, writeLog);
  await core.programmingModel()?.getCapabilities?.({});
  await invoker.runAppHooks("appStart", {
    functionAppDirectory: options.directory,
    hookData: options.localRun === undefined ? {} : { localRun: options.localRun },
  });

  server.serve(functionsHandler(app, invoker));
  const listening = { settings: queues, invoker, pace: options.queuePace ?? localPace };
  const sources = [
    startTimers(app.timer.filter(isOn), invoker),
    ...queueSources.map((each) => listenToQueue(each, { connectionString: each.connectionString, ...listening })),
  ];

  return {
    abandonAll: invoker.abandonAll,
    stop: async (limitMilliseconds) => {
      const drained = Promise.all([server.close(), ...sources.map((source) => source.stop())]);
      if (!(await within(limitMilliseconds, drained)))
        logLine(`Still running after ${limitMilliseconds / 1000} s: left behind.`);
      await invoker.runAppHooks("appTerminate", {}).catch((error) => logLine(`appTerminate: ${describeError(error)}`));
    },
  };
}

function connectionOf(
  { name, connection }: { name: string; connection: string },
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const value = environment[`AzureWebJobs${connection}`] ?? environment[connection];
  if (value === undefined) throw new Error(`Function "${name}": the connection string ${connection} is not set.`);
  return value;
}

/** Whether `work` ended in time. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const limit = Promise.withResolvers<false>();
  const timer = setTimeout(() => limit.resolve(false), milliseconds);
  try {
    return await Promise.race([work.then(() => true), limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}
