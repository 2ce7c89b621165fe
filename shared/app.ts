import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { TableClient, TableServiceClient } from "@azure/data-tables";
import type { TokenCredential } from "@azure/identity";
import type { QueueClient } from "@azure/storage-queue";
import { stampId as stampIdSchema, toUtcTime } from "./api/primitives.ts";
import { filePaperSigner } from "./auth/filePapers.ts";
import { keyVaultPaperSigner } from "./auth/keyVaultPapers.ts";
import { paperOpener } from "./auth/openPaper.ts";
import { ownIdentity } from "./auth/ownIdentity.ts";
import { makeTokenVerifier } from "./auth/tokens.ts";
import type { Config } from "./config.ts";
import { ConfigurationError } from "./config.ts";
import type { PlacementAccount } from "./domain/placement.ts";
import { addDays, utcDay } from "./domain/utcDay.ts";
import { bundleHandlers } from "./http/handlers/bundles.ts";
import { caseHandlers } from "./http/handlers/cases.ts";
import { complianceHandlers } from "./http/handlers/compliance.ts";
import { dropBoxHandlers } from "./http/handlers/dropBoxes.ts";
import type { Handlers } from "./http/handlers/handler.ts";
import { importHandlers } from "./http/handlers/imports.ts";
import { peopleHandlers } from "./http/handlers/people.ts";
import { publicHandlers } from "./http/handlers/public.ts";
import { stampHandlers } from "./http/handlers/stamps.ts";
import type { Edge } from "./http/serve.ts";
import { log } from "./log.ts";
import { onMessage, onTime } from "./operated.ts";
import { eachInTurn } from "./operations/bounded.ts";
import { notePoisonedVerification, verifyMessage } from "./operations/bundles/verificationMessages.ts";
import { extractMessage, notePoisonedExtraction } from "./operations/cases/extractionMessages.ts";
import { reasonsNotToStart } from "./operations/compliance/checkAccounts.ts";
import { foldTouched } from "./operations/compliance/foldTouched.ts";
import { keepRecords } from "./operations/compliance/keepRecords.ts";
import { reconcile } from "./operations/compliance/reconcile.ts";
import { recordExport } from "./operations/compliance/recordExport.ts";
import { sealCheckpoint } from "./operations/compliance/sealCheckpoint.ts";
import { noteArrival } from "./operations/dropBoxes/arrivalMessages.ts";
import { rememberFalseClaims } from "./operations/falseClaims.ts";
import { openIntake } from "./operations/intake.ts";
import type { Clock, Rules, World } from "./operations/needs.ts";
import { forgetOld } from "./operations/people/forgetPerson.ts";
import { purgeDue } from "./operations/purge/purgeDue.ts";
import { sweepUnfinished } from "./operations/purge/sweepUnfinished.ts";
import { openPurgeDates } from "./operations/purgeDates.ts";
import type { Restored } from "./operations/restore/restoreLedger.ts";
import { openSingleFlight } from "./operations/singleFlight.ts";
import { openAccounts } from "./storage/accounts.ts";
import { type BundleAccount, openBundleAccount } from "./storage/blobs/account.ts";
import type { Inspect } from "./storage/blobs/inventory.ts";
import { openShelf } from "./storage/blobs/records.ts";
import { openService as openBlobService } from "./storage/blobs/service.ts";
import { clientOptions } from "./storage/clientOptions.ts";
import { openQueue } from "./storage/queue.ts";
import { openResourceManager } from "./storage/resourceManager.ts";
import { openAccessIndex } from "./storage/tables/accesses.ts";
import { openCases } from "./storage/tables/cases.ts";
import { openClaims } from "./storage/tables/claims.ts";
import { openDirectory } from "./storage/tables/directory.ts";
import { openEvents } from "./storage/tables/events.ts";
import { openLeaves } from "./storage/tables/leaves.ts";
import { openNonces } from "./storage/tables/nonces.ts";
import { openPeople } from "./storage/tables/people.ts";
import { openRollups } from "./storage/tables/rollups.ts";
import { openRuns } from "./storage/tables/runs.ts";
import { openSchedule } from "./storage/tables/schedule.ts";
import { openService } from "./storage/tables/service.ts";
import { openStamps } from "./storage/tables/stamps.ts";
import { openTable } from "./storage/tables/table.ts";
import { currentTrace, currentTraceparent, underTrace } from "./trace.ts";

/** The composition root: the only place that makes Azure clients and hands storage to operations. */

export type App = {
  readonly world: World;
  /** What a start finds out before anything is served. Throws `ConfigurationError` where an account keeps what is deleted. */
  readonly check: () => Promise<void>;
  readonly edge: Edge;
  /** What requests, messages and timers run. */
  readonly handlers: Handlers;
  /** Rebuilds lost tables from the records (`docs/runbook.md`, Restore drill). */
  readonly restore: () => Promise<Restored>;
  readonly queues: {
    readonly [Name in "arrivals" | "extract" | "extractPoisoned" | "verify" | "verifyPoisoned"]: (
      message: unknown,
    ) => Promise<void>;
  };
  readonly timers: {
    readonly [Name in
      | "foldLedger"
      | "forgetOld"
      | "purgeDue"
      | "reconcile"
      | "sealCheckpoint"
      | "sweepUnfinished"]: () => Promise<void>;
  };
};

export type AppOptions = {
  /** See every storage call: a test counts round trips with one. */
  readonly policies?: readonly PipelinePolicy[];
  /** Real time; a test's own. */
  readonly real?: () => Date;
  /** The time of retention, consent and cases, where it does not follow real time: a simulation's own. */
  readonly now?: () => Date;
};

export const verificationQueueName = "verify";
const extractionQueueName = "extract";

const dayMs = 86_400_000;

/** Opens the app. Nothing is called yet: a storage that is down is found by the first request, and refuses it. */
export function openApp(config: Config, options: AppOptions = {}): App {
  const real = options.real ?? (() => new Date());
  const now = options.now ?? (() => new Date(real().getTime() + config.clockOffsetDays * dayMs));
  const clock: Clock = { real, now };
  const storage = openStorage(config, clock, options.policies ?? []);
  const papers = openPapers(config, clock);
  const { nonces, claims, ...parts } = storage;
  const rules: Rules = {
    publicOrigin: config.publicOrigin,
    purgeAfterDays: config.purgeAfterDays,
    purgeAfterCaseCloseDays: config.purgeAfterCaseCloseDays,
    eraseDelayHours: config.eraseDelayHours,
    maxBundleBytes: config.maxBundleBytes,
    maxDropBoxFiles: config.maxDropBoxFiles,
    metadataRetentionDays: config.metadataRetentionDays,
    limits: config.limits,
    oldestVersions: config.oldestVersions,
  };
  const world: World = {
    ...parts,
    clock,
    papers,
    log,
    tracing: { current: () => currentTrace()?.traceId, under: underTrace },
    intake: openIntake({ clock, log, rollups: storage.rollups }),
    falseClaims: rememberFalseClaims(),
    singleFlight: openSingleFlight({ claims, clock, log }),
    purgeDates: openPurgeDates({ schedule: storage.schedule, rules }),
    rules,
  };
  return {
    world,
    check: async () => {
      const reasons = await reasonsNotToStart(world);
      const setting = config.bundleAccounts === undefined ? "StateStorage" : "BUNDLE_ACCOUNTS";
      if (reasons.length > 0) throw new ConfigurationError(`${setting}: ${reasons.join("; ")}`);
    },
    handlers: {
      ...stampHandlers(world),
      ...bundleHandlers(world),
      ...importHandlers(world),
      ...caseHandlers(world),
      ...dropBoxHandlers(world),
      ...complianceHandlers(world, (auditor) => recordExport(world, auditor)),
      ...publicHandlers(papers),
      ...peopleHandlers(world),
    },
    restore: async () => {
      const { restoreLedger } = await import("./operations/restore/restoreLedger.ts");
      return await restoreLedger({ ...world, opened: paperOpener(papers) });
    },
    queues: {
      arrivals: onMessage("noteArrival", (message) => noteArrival(world, message)),
      extract: onMessage("extractFile", (message) => extractMessage(world, message)),
      extractPoisoned: onMessage("extractFilePoisoned", (message) => notePoisonedExtraction(world, message)),
      verify: onMessage("verifyBundle", (message) => verifyMessage(world, message)),
      verifyPoisoned: onMessage("verifyBundlePoisoned", (message) => notePoisonedVerification(world, message)),
    },
    timers: {
      forgetOld: onTime("forgetOld", () => forgetOld(world)),
      foldLedger: onTime("foldLedger", () => foldTouched(world)),
      purgeDue: onTime("purgeDue", () =>
        // Neither a purge nor housekeeping that fails keeps the other from its work.
        eachInTurn(
          async () => {
            await purgeDue(world);
            await world.runs.succeeded("purgeDue", toUtcTime(clock.now()));
          },
          () => nonces.dropBefore(addDays(utcDay(real()), -1)),
        ),
      ),
      reconcile: onTime("reconcile", () => reconcile(world)),
      sealCheckpoint: onTime("sealCheckpoint", async () => {
        await sealCheckpoint(world);
        await keepRecords(world);
      }),
      sweepUnfinished: onTime("sweepUnfinished", () => sweepUnfinished(world)),
    },
    edge: {
      clock,
      log,
      publicOrigin: config.publicOrigin,
      otherApp: config.otherApp,
      people: world.people,
      stamps: world.stamps,
      verifyToken: makeTokenVerifier({ ...config.token, now: real }),
      useNonce: (stamp, nonce, created) => nonces.use(stampIdSchema.parse(stamp), nonce, created),
    },
  };
}

function openStorage(config: Config, clock: Clock, policies: readonly PipelinePolicy[]) {
  const table = (name: string) => openTable(() => tableClient(config, name, policies));
  const schedule = openSchedule(table("schedule"), log);
  const stamps = openStamps(table("stamps"), schedule.touch);
  const cases = openCases(table("cases"), schedule.touch);
  const service = openService(table("service"), schedule.touch);
  return {
    schedule,
    stamps: stamps.stamps,
    cases: cases.cases,
    service: service.service,
    checkpoints: service.checkpoints,
    records: {
      checkpoints: shelf(config, config.records.checkpointUrl, policies),
      ledger: shelf(config, config.records.ledgerUrl, policies),
    },
    leaves: openLeaves(table("leaves")),
    events: openEvents({ stamps: stamps.rows, cases: cases.rows, service: service.rows }),
    rollups: openRollups(table("rollups")),
    accessIndex: openAccessIndex(table("accesses")),
    runs: openRuns(table("runs")),
    claims: openClaims(table("claims")),
    directory: openDirectory(table("directory")),
    people: openPeople(table("people"), clock.now),
    nonces: openNonces(table, () => tableService(config, policies)),
    queue: openQueue(currentTraceparent, () => queueClient(config, verificationQueueName, policies)),
    extractions: openQueue(currentTraceparent, () => queueClient(config, extractionQueueName, policies)),
    ...openAccounts(bundleAccounts(config, clock, policies)),
  };
}

function tableClient(config: Config, name: string, policies: readonly PipelinePolicy[]): TableClient {
  const options = { ...clientOptions(policies), allowInsecureConnection: config.state.kind === "connectionString" };
  return config.state.kind === "connectionString"
    ? TableClient.fromConnectionString(config.state.connectionString, name, options)
    : new TableClient(config.state.tableEndpoint, name, credential(config), options);
}

function tableService(config: Config, policies: readonly PipelinePolicy[]): TableServiceClient {
  const options = { ...clientOptions(policies), allowInsecureConnection: config.state.kind === "connectionString" };
  return config.state.kind === "connectionString"
    ? TableServiceClient.fromConnectionString(config.state.connectionString, options)
    : new TableServiceClient(config.state.tableEndpoint, credential(config), options);
}

/** Most invocations send nothing: the SDK is loaded by the first that does. */
async function queueClient(config: Config, name: string, policies: readonly PipelinePolicy[]): Promise<QueueClient> {
  const { QueueClient } = await import("@azure/storage-queue");
  const options = clientOptions(policies);
  return config.state.kind === "connectionString"
    ? new QueueClient(config.state.connectionString, name, options)
    : new QueueClient(`${config.state.queueEndpoint.replace(/\/$/, "")}/${name}`, credential(config), options);
}

/** Without BUNDLE_ACCOUNTS, the account of the connection string. */
function bundleAccounts(config: Config, clock: Clock, policies: readonly PipelinePolicy[]) {
  const common = { policies, now: clock.real };
  const open = (settings: NonNullable<Config["bundleAccounts"]>[number]): BundleAccount & PlacementAccount => ({
    ...openBundleAccount({
      ...common,
      name: settings.name,
      blobEndpoint: settings.blobEndpoint,
      credential: credential(config),
      inspect: inspection(config, settings.resourceId),
    }),
    geographies: settings.geographies,
    draining: settings.draining,
  });
  const [first, ...others] = config.bundleAccounts ?? [];
  if (first !== undefined) return [open(first), ...others.map(open)] as const;
  if (config.state.kind !== "connectionString") throw new ConfigurationError("BUNDLE_ACCOUNTS: is needed");
  const { connectionString } = config.state;
  return [
    {
      ...openBundleAccount({ ...common, name: accountName(connectionString), connectionString }),
      geographies: undefined,
    },
  ] as const;
}

/** How Resource Manager is asked about an account; undefined where it is not. */
function inspection(config: Config, resourceId: string | undefined): Inspect | undefined {
  if (config.resourceManager === undefined || resourceId === undefined) return undefined;
  const manager = openResourceManager({ endpoint: config.resourceManager, credential: credential(config) });
  return (signal) => manager.faultsOf(resourceId, signal);
}

/** A container by its URL; on one machine and in tests the one of that name in the account of the connection string. */
function shelf(config: Config, url: string | undefined, policies: readonly PipelinePolicy[]) {
  if (url === undefined) return undefined;
  const slash = url.replace(/\/$/, "").lastIndexOf("/");
  const common = { name: "records", policies };
  const service =
    config.state.kind === "connectionString"
      ? openBlobService({ ...common, connectionString: config.state.connectionString })
      : openBlobService({ ...common, blobEndpoint: url.slice(0, slash), credential: credential(config) });
  return openShelf(service, url.slice(slash + 1).replace(/\/$/, ""));
}

function accountName(connectionString: string): string {
  const name = /AccountName=([^;]+)/i.exec(connectionString)?.[1];
  if (name === undefined) throw new ConfigurationError("StateStorage: the connection string names no AccountName");
  return name;
}

let signedIn: TokenCredential | undefined;

/** The service's own identity: one for the process, so that its tokens are cached. */
function credential(config: Config): TokenCredential {
  const clientId = config.state.kind === "identity" ? config.state.clientId : undefined;
  signedIn ??= ownIdentity(clientId);
  return signedIn;
}

function openPapers(config: Config, clock: Clock) {
  return config.signingKey.kind === "file"
    ? filePaperSigner(config.signingKey.path)
    : keyVaultPaperSigner({ keyId: config.signingKey.keyId, credential: credential(config), now: clock.real });
}
