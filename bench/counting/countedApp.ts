import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { PipelinePolicy, PipelineResponse } from "@azure/core-rest-pipeline";
import { BlobServiceClient } from "@azure/storage-blob";
import { openAzurite } from "../../local/azurite.ts";
import { openIssuer } from "../../local/identity.ts";
import { openSideDoor } from "../../local/sideDoor.ts";
import { openSigningKeys } from "../../local/signingKey.ts";
import { type App, openApp } from "../../shared/app.ts";
import { readConfig } from "../../shared/config.ts";
import type { LocalRun } from "../../shared/localRun.ts";
import { edgeOf } from "../../test/integration/operations/support/edge.ts";
import { startTestAzurite } from "../../test/support/azurite.ts";
import { temporaryFolder } from "../folder.ts";

/** The app in this process, over HTTP as ever, with a policy in its storage clients' pipelines that sees every call. */

/** Where several instances of the app work one after the other: storage, keys, and the issuer of tokens. */
export type Ground = {
  readonly folder: string;
  readonly blobEndpoint: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly injected: LocalRun["settings"];
};

/** Storage is in memory, or on disk for what is too large for that. */
export async function openGround(
  undo: AsyncDisposableStack,
  storage: "inMemory" | "onDisk" = "inMemory",
): Promise<Ground> {
  const folder = await temporaryFolder(undo);
  const connectionString = await (storage === "inMemory" ? inMemory(undo) : onDisk(undo, folder));
  const issuer = await openIssuer(folder);
  const sideDoor = await openSideDoor(randomUUID(), issuer.jwks);
  undo.defer(sideDoor.close);
  return {
    folder,
    blobEndpoint: BlobServiceClient.fromConnectionString(connectionString).url.replace(/\/$/, ""),
    settings: {
      StateStorage: connectionString,
      TOKEN_ISSUER: issuer.issuer,
      TOKEN_AUDIENCE: issuer.audience,
      TOKEN_TENANT_ID: issuer.tenantId,
    },
    injected: { SIGNING_KEY_FILE: await openSigningKeys(folder), TOKEN_JWKS_URL: sideDoor.jwksUrl },
  };
}

async function inMemory(undo: AsyncDisposableStack): Promise<string> {
  const azurite = await startTestAzurite();
  undo.defer(azurite.stop);
  return azurite.connectionString;
}

async function onDisk(undo: AsyncDisposableStack, folder: string): Promise<string> {
  const azurite = await openAzurite(folder);
  undo.defer(azurite.stop);
  return await azurite.ready();
}

export type Call = {
  readonly method: string;
  readonly url: string;
  /** The bytes of the answer's body, and where they begin in the blob. */
  readonly received?: { readonly offset: number; readonly count: number };
};

export type CountedApp = {
  readonly app: App;
  readonly origin: string;
  /** The storage calls that the app makes while `work` runs. */
  readonly watching: (work: () => Promise<unknown>) => Promise<readonly Call[]>;
};

/** Opens the app with its clock of retention moved by that many days. */
export async function openCountedApp(undo: AsyncDisposableStack, ground: Ground, offsetDays = 0): Promise<CountedApp> {
  let calls: Call[] = [];
  const policy: PipelinePolicy = {
    name: "countCalls",
    sendRequest: async (request, next) => {
      const call: { -readonly [Key in keyof Call]: Call[Key] } = { method: request.method, url: request.url };
      calls.push(call);
      const response = await next(request);
      call.received = receivedIn(response);
      return response;
    },
  };
  let serve: ReturnType<typeof edgeOf> | undefined;
  const origin = await listen(undo, async (request, response) => {
    const { method = "", url: path = "" } = request;
    const body = await buffer(request);
    const answer = await serve?.({ method, path, headers: textHeaders(request), ...(body.length > 0 ? { body } : {}) });
    response.writeHead(answer?.status ?? 503, answer?.headers).end(answer?.body);
  });
  const environment = {
    ...ground.settings,
    PUBLIC_ORIGIN: origin,
    RATE_LIMITS: "off",
  };
  const app = openApp(readConfig(environment, { clockOffsetDays: offsetDays, settings: ground.injected }), {
    policies: [policy],
  });
  serve = edgeOf(app);
  return {
    app,
    origin,
    watching: async (work) => {
      const seen: Call[] = [];
      calls = seen;
      await work();
      calls = [];
      return seen;
    },
  };
}

function receivedIn({ headers }: PipelineResponse): NonNullable<Call["received"]> {
  const offset = /^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1];
  return { offset: Number(offset ?? 0), count: Number(headers.get("content-length") ?? 0) };
}

async function listen(
  undo: AsyncDisposableStack,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<string> {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  undo.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The app has no port");
  return `http://127.0.0.1:${address.port}`;
}

const textHeaders = ({ headersDistinct }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(headersDistinct).map(([name, values = []]) => [name, values.join(", ")]));
