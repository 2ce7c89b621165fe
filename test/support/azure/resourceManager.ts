import { createServer } from "node:https";
import { z } from "zod";
import { listenOn } from "./listen.ts";
import { tls } from "./tls.ts";

/**
 * Azure Resource Manager as far as the service asks it: how a storage account, its blobs and its replication are set up, by the paths and in the
 * words of its REST API. It takes tokens that are for it, and knows accounts that are as `infra/` makes them until a test changes one.
 */
export type ResourceManager = {
  readonly endpoint: string;
  readonly idOf: (account: string) => string;
  /** Changes an account's properties, those of its blobs, or its replication policies. */
  readonly change: (account: string, changes: AccountChanges) => void;
  /** What was asked for, as `method path`. */
  readonly asked: readonly string[];
  readonly stop: () => Promise<void>;
};

export type AccountChanges = {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly blobs?: Readonly<Record<string, unknown>>;
  readonly policies?: readonly unknown[];
  /** Answers with this status instead. */
  readonly status?: number;
};

const group = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-test-bundles";
const idOf = (account: string) => `${group}/providers/Microsoft.Storage/storageAccounts/${account}`;

const sound = {
  properties: {
    allowBlobPublicAccess: false,
    allowSharedKeyAccess: false,
    minimumTlsVersion: "TLS1_2",
    supportsHttpsTrafficOnly: true,
  },
  blobs: {
    changeFeed: { enabled: false },
    containerDeleteRetentionPolicy: { enabled: false },
    deleteRetentionPolicy: { enabled: false },
    isVersioningEnabled: false,
    restorePolicy: { enabled: false },
  },
} as const;

const claims = z.object({ aud: z.string() });

export async function startResourceManager(): Promise<ResourceManager> {
  const changed = new Map<string, AccountChanges>();
  const asked: string[] = [];
  let endpoint = "";

  const answer = (path: string): { status: number; body?: unknown } => {
    const [, account = "", part = ""] = /\/storageAccounts\/([^/]+)(.*)$/.exec(path) ?? [];
    if (!path.startsWith(idOf(account))) return { status: 404 };
    const { properties = {}, blobs = {}, policies = [], status } = changed.get(account) ?? {};
    if (status !== undefined) return { status };
    const named = { id: path, name: account };
    switch (part) {
      case "":
        return { status: 200, body: { ...named, properties: { ...sound.properties, ...properties } } };
      case "/blobServices/default":
        return { status: 200, body: { ...named, properties: { ...sound.blobs, ...blobs } } };
      case "/objectReplicationPolicies":
        return { status: 200, body: { value: policies } };
      default:
        return { status: 404 };
    }
  };

  const server = createServer(tls, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", endpoint);
    asked.push(`${request.method} ${pathname}`);
    const isFor = audienceOf(request.headers.authorization);
    const isKnown = isFor === endpoint && searchParams.has("api-version") && request.method === "GET";
    const { status, body } = isKnown ? answer(pathname) : { status: 401, body: undefined };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body ?? { error: {} }));
  });
  const { port, stop } = await listenOn(server);
  endpoint = `https://127.0.0.1:${port}`;
  return { endpoint, idOf, change: (account, changes) => void changed.set(account, changes), asked, stop };
}

function audienceOf(authorization: string | undefined): string | undefined {
  const [, payload = ""] = /^Bearer [^.]+\.([^.]+)\./.exec(authorization ?? "") ?? [];
  return payload === "" ? undefined : claims.parse(JSON.parse(Buffer.from(payload, "base64url").toString())).aud;
}
