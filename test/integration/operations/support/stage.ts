import { generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { TableServiceClient } from "@azure/data-tables";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll } from "vitest";
import { type App, openApp } from "../../../../shared/app.ts";
import { readConfig } from "../../../../shared/config.ts";
import type { LocalRun } from "../../../../shared/localRun.ts";
import { withSink } from "../../../../shared/log.ts";
import { openCase } from "../../../support/system/cases.ts";
import type { Service } from "../../../support/system/service.ts";
import { eventPage, termsShape } from "../../../support/system/shapes.ts";
import { enroll } from "../../../support/system/stamp.ts";
import { type Person, type Role, readAll, type World, withVersion } from "../../../support/system/world.ts";
import { startAccounts } from "./accounts.ts";
import { edgeOf, origin } from "./edge.ts";
import { type StorageFaults, storageFaults } from "./faults.ts";
import { type Issuer, startIssuer } from "./issuer.ts";

/** The app inside the test, on storage of its own, with everybody who speaks with it. */
export type Stage = World & {
  readonly app: App;
  readonly faults: StorageFaults;
  readonly connectionString: string;
  /** What the app was told. */
  readonly environment: Readonly<Record<string, string>>;
  readonly blobs: BlobServiceClient;
  readonly tables: TableServiceClient;
  /** Another instance on the same storage: later by these days, or with other settings. */
  readonly another: (options?: StageOptions) => Stage;
  /** Every line that the app has logged. */
  readonly logged: string[];
  /** What the queue's message does. */
  readonly verify: (bundle: { readonly stampId: string; readonly bundleId: string }) => Promise<void>;
};

export type StageOptions = {
  readonly offsetDays?: number;
  readonly settings?: Readonly<Record<string, string>>;
  /** Real time, where it is not the test's own. */
  readonly real?: () => Date;
  /** The service's time, where it does not follow real time. */
  readonly now?: () => Date;
  /** In the storage clients' pipelines, beside the stage's own. */
  readonly policies?: readonly PipelinePolicy[];
};

const dayMs = 86_400_000;

export type Stages = {
  /** A stage on new storage. */
  readonly open: (options?: StageOptions) => Stage;
  readonly close: () => Promise<void>;
};

/** Call it at the top of a test file; what it gives opens a stage on new storage each time. */
export function useStages(tls?: Parameters<typeof openStages>[0]): (options?: StageOptions) => Stage {
  let stages: Stages | undefined;
  beforeAll(async () => {
    stages = await openStages(tls);
  });
  afterAll(() => stages?.close());
  return (options = {}) => {
    if (stages === undefined) throw new Error("A stage opens inside a test");
    return stages.open(options);
  };
}

/** Storage and an issuer of tokens, for as many stages as wanted. With `tls`, in PEM, the issuer is reached over HTTPS. */
export async function openStages(tls?: { readonly cert: string; readonly key: string }): Promise<Stages> {
  const [accounts, issuer, directory] = await Promise.all([
    startAccounts(),
    startIssuer(tls),
    mkdtemp(join(tmpdir(), "stamp-intake-stage-")),
  ]);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keys = [{ ...privateKey.export({ format: "jwk" }), kid: "signing-1" }];
  await writeFile(join(directory, "signing.json"), JSON.stringify({ keys }), { mode: 0o600 });
  const injected = { TOKEN_JWKS_URL: issuer.jwksUrl, SIGNING_KEY_FILE: join(directory, "signing.json") };
  return {
    open: (options = {}) => openStage(accounts.next(), injected, issuer, options),
    close: async () => {
      await Promise.all([accounts.stop(), issuer.stop(), rm(directory, { recursive: true, force: true })]);
    },
  };
}

function openStage(
  connectionString: string,
  injected: LocalRun["settings"],
  issuer: Issuer,
  { offsetDays = 0, settings = {}, real, now, policies = [] }: StageOptions,
): Stage {
  const faults = storageFaults();
  const environment = {
    ...issuer.settings,
    PUBLIC_ORIGIN: origin,
    StateStorage: connectionString,
    RATE_LIMITS: "off",
    ...settings,
  };
  const app = openApp(readConfig(environment, { clockOffsetDays: offsetDays, settings: injected }), {
    policies: [faults.policy, ...policies],
    ...(real === undefined ? {} : { real }),
    ...(now === undefined ? {} : { now }),
  });
  const logged: string[] = [];
  const listening = <T>(work: () => Promise<T>): Promise<T> => withSink((_level, line) => void logged.push(line), work);
  const edge = edgeOf(app);
  const send: Stage["send"] = (raw) => listening(() => edge(raw));
  const people = new Map<string, { oid: string; token: Promise<string> }>();

  const person = async (roles: Role | readonly Role[], oid?: string): Promise<Person> => {
    const name = `${[roles].flat().join()} ${oid ?? ""}`;
    const id = oid ?? randomUUID();
    const known = people.get(name) ?? { oid: id, token: issuer.token([roles].flat(), id) };
    people.set(name, known);
    const token = await known.token;
    return {
      oid: known.oid,
      token,
      call: (method, path, body, { headers = {}, query = {} } = {}) =>
        send({
          method,
          path: withVersion(path, query),
          headers: {
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            authorization: `Bearer ${token}`,
            ...headers,
          },
          body: body === undefined ? undefined : JSON.stringify(body),
        }),
    };
  };

  let terms: string | undefined;
  const stage: Stage = {
    app,
    faults,
    connectionString,
    environment: { ...environment, ...injected },
    blobs: BlobServiceClient.fromConnectionString(connectionString),
    tables: TableServiceClient.fromConnectionString(connectionString, { allowInsecureConnection: true }),
    another: (options = {}) => openStage(connectionString, injected, issuer, options),
    verify: ({ stampId, bundleId }) => listening(() => app.queues.verify({ stampId, bundleId })),
    logged,
    service: noProcess,
    origin: environment.PUBLIC_ORIGIN,
    now: now ?? (() => new Date(Date.now() + offsetDays * dayMs)),
    on: (hoursFromNow = 0) => new Date(stage.now().getTime() + hoursFromNow * 3_600_000).toISOString(),
    send,
    anonymous: (method, path) => send({ method, path: withVersion(path) }),
    person,
    engineer: () => person("E", randomUUID()),
    registeredStamp: (options) => enroll(stage, options),
    openCase: (options) => openCase(stage, options),
    currentTerms: async () => {
      terms ??= termsShape
        .parse((await send({ method: "GET", path: "/terms" })).json)
        .value.find((each) => each.current)?.version;
      return terms ?? "";
    },
    runTimer: async (name) => {
      if (name === "purgeDue") await listening(app.timers.purgeDue);
      else if (name === "sweepUnfinished") await listening(app.timers.sweepUnfinished);
      else throw new Error(`There is no timer ${name} here`);
    },
    events: async (partition) => {
      const { call } = await person("A");
      const read = await readAll(call, "/compliance/events", partition === undefined ? {} : { partition });
      return eventPage.parse({ value: read }).value;
    },
    restart: absent,
    close: absent,
  };
  return stage;
}

function absent(): never {
  throw new Error("This app runs inside the test: there is no process to end");
}

const noProcess: Service = {
  get origin() {
    return absent();
  },
  directory: "",
  pid: 0,
  output: absent,
  stop: absent,
  kill: absent,
  restart: absent,
  close: absent,
};
