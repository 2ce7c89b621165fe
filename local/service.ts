import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ConfigurationError, readConfig } from "../shared/config.ts";
import type { LocalRun } from "../shared/localRun.ts";
import { openAzurite } from "./azurite.ts";
import type { StorageEndpoints } from "./azuriteProcess.ts";
import { isSystemError, writeJson } from "./files.ts";
import { readHostJson } from "./host/hostJson.ts";
import { type HttpServer, listen } from "./host/httpServer.ts";
import { logLine } from "./host/log.ts";
import type { FunctionsHost } from "./host.ts";
import { type Issuer, openIssuer } from "./identity.ts";
import { takeLock } from "./lock.ts";
import {
  type Environment,
  type LocalSettings,
  prepareDirectory,
  projectDirectory,
  readLocalSettings,
  requireEntry,
} from "./settings.ts";
import { openSideDoor, type SideDoor } from "./sideDoor.ts";
import { openSigningKeys } from "./signingKey.ts";

export type LocalService = {
  readonly origin: string;
  readonly directory: string;
  /** Drains what runs, then stops the storage that this service started, and waits for it. */
  readonly stop: () => Promise<void>;
  readonly abandonAll: FunctionsHost["abandonAll"];
};

/** How long a stop waits for requests, messages and timers under way; a message left behind comes back after the next start. */
const drainLimitMilliseconds = 15_000;
/** Storage is the slowest to start: settings are checked before, with this in place of its connection string. */
const storageToCome = "UseDevelopmentStorage=true";

/**
 * Starts the whole service on one machine, in this process, and puts its settings into `process.env` for the function app.
 * One at a time per process. Throws `ConfigurationError` for what the caller can put right; whatever was begun is undone then.
 */
export async function startHost(environment: Environment = process.env): Promise<LocalService> {
  const settings = readLocalSettings(environment);
  await requireEntry(settings.entry);
  await prepareDirectory(settings.directory);
  await using undo = new AsyncDisposableStack();

  const issuer = await openIssuer(settings.directory);
  const sideDoor = await holdDirectory(settings.directory, issuer, undo);
  const server = await listenOrExplain(settings.port);
  undo.defer(server.end);

  const serviceSettings = settingsOfService(environment, issuer, server.port);
  const localRun = await localRunOf(settings, serviceSettings, sideDoor.jwksUrl);
  readConfig({ StateStorage: storageToCome, ...serviceSettings }, localRun);
  const storageReady = await openStorage(settings, undo);
  const { loadFunctionApp, startFunctionsHost } = await loadMeanwhile(settings);
  const storage = await storageReady();
  const endpoints = await endpointsOf(storage);
  putIntoEnvironment({ ...serviceSettings, StateStorage: storage, AzureWebJobsStorage: storage }, undo);

  const host = await startFunctionsHost({
    core: await loadFunctionApp(settings.entry),
    hostJson: await readHostJson(join(projectDirectory, "host.json")),
    server,
    environment: process.env,
    directory: projectDirectory,
    localRun,
  });
  undo.defer(() => host.stop(drainLimitMilliseconds));

  const origin = `http://127.0.0.1:${server.port}`;
  await announce(settings.directory, { origin, pid: process.pid, storage: endpoints }, undo);
  const begun = undo.move();
  return {
    origin,
    directory: settings.directory,
    stop: () => {
      sideDoor.sayStopping();
      return begun.disposeAsync();
    },
    abandonAll: host.abandonAll,
  };
}

/** Takes the folder for this instance, which can be asked whether it lives where the issuer's keys are published. */
async function holdDirectory(directory: string, issuer: Issuer, undo: AsyncDisposableStack): Promise<SideDoor> {
  const instance = randomUUID();
  const sideDoor = await openSideDoor(instance, issuer.jwks);
  undo.defer(sideDoor.close);
  undo.defer(await takeLock(directory, { pid: process.pid, instance, url: sideDoor.instanceUrl }));
  return sideDoor;
}

async function listenOrExplain(port: number): Promise<HttpServer> {
  try {
    return await listen(port);
  } catch (error) {
    if (isSystemError(error, "EADDRINUSE")) {
      throw new ConfigurationError(
        `PORT: ${port} is in use; stop what listens there, or set another port (0 picks a free one)`,
      );
    }
    if (isSystemError(error, "EACCES"))
      throw new ConfigurationError(`PORT: ${port} is not allowed to this user; set another port`);
    throw error;
  }
}

/** The settings of `shared/settings.ts` as one machine has them; what the caller set stands. */
function settingsOfService(environment: Environment, issuer: Issuer, port: number): Record<string, string> {
  const given = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[name, value]],
    ),
  );
  return {
    PUBLIC_ORIGIN: `http://127.0.0.1:${port}`,
    TOKEN_ISSUER: issuer.issuer,
    TOKEN_AUDIENCE: issuer.audience,
    TOKEN_TENANT_ID: issuer.tenantId,
    RATE_LIMITS: "off",
    ...given,
  };
}

/** What the app learns from this host in code alone; what the caller set stands here too. */
async function localRunOf(
  { directory, clockOffsetDays }: LocalSettings,
  given: Readonly<Record<string, string>>,
  jwksUrl: string,
): Promise<LocalRun> {
  const hasKey = given.SIGNING_KEY_ID !== undefined || given.SIGNING_KEY_FILE !== undefined;
  return {
    clockOffsetDays,
    settings: {
      ...(hasKey ? {} : { SIGNING_KEY_FILE: await openSigningKeys(directory) }),
      ...(given.TOKEN_JWKS_URL === undefined ? { TOKEN_JWKS_URL: jwksUrl } : {}),
    },
  };
}

/** Loads what takes its time while Azurite, a process of its own, takes more. The built file brings the SDKs along. */
async function loadMeanwhile({ entry }: LocalSettings): Promise<typeof import("./host.ts")> {
  if (entry.endsWith(".ts")) {
    await Promise.all([import("@azure/functions"), import("@azure/data-tables"), import("@azure/storage-blob")]);
  }
  return import("./host.ts");
}

/** A later start in this process is not to take this one's settings for its caller's. */
function putIntoEnvironment(values: Record<string, string>, undo: AsyncDisposableStack): void {
  const before = { ...process.env };
  Object.assign(process.env, values);
  undo.defer(() => {
    for (const name of Object.keys(values)) delete process.env[name];
    Object.assign(process.env, before);
  });
}

/** The storage to use, what the settings name or an Azurite of this folder's own: gives what waits for its connection string. */
async function openStorage(
  { storage, directory }: LocalSettings,
  undo: AsyncDisposableStack,
): Promise<() => Promise<string>> {
  if (storage !== undefined) return async () => storage;
  const azurite = await openAzurite(directory);
  undo.defer(azurite.stop);
  if (azurite.found) logLine("Found the storage of an earlier run still running, and goes on with it.");
  return azurite.ready;
}

/** Where the storage answers. Throws `ConfigurationError` for what is no connection string. */
async function endpointsOf(storage: string): Promise<StorageEndpoints> {
  const [{ BlobServiceClient }, { QueueServiceClient }, { TableServiceClient }] = await Promise.all([
    import("@azure/storage-blob"),
    import("@azure/storage-queue"),
    import("@azure/data-tables"),
  ]);
  try {
    return {
      blob: BlobServiceClient.fromConnectionString(storage).url,
      queue: QueueServiceClient.fromConnectionString(storage).url,
      table: TableServiceClient.fromConnectionString(storage, { allowInsecureConnection: true }).url,
    };
  } catch {
    throw new ConfigurationError("AzureWebJobsStorage: is no connection string of a storage account");
  }
}

/** Writes `service.json`, where the client and the audit find the service while it runs. */
async function announce(directory: string, service: object, undo: AsyncDisposableStack): Promise<void> {
  const path = join(directory, "service.json");
  await writeJson(path, service);
  undo.defer(() => rm(path, { force: true }));
}
