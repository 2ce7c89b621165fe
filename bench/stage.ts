import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  asStamp,
  type BundleDescription,
  connect,
  currentTerms,
  generateKey,
  keyIdOf,
  publicHalf,
  register,
  type Service,
  type StampApi,
  signingKey,
  stampApi,
} from "../client/index.ts";
import { type OwnService, startOwnService } from "../local/demo/ownService.ts";
import { gather } from "../local/demo/people.ts";
import { temporaryFolder } from "./folder.ts";

/** Where the timed measurements run: the service as `npm start` runs it, with its storage on disk, in a folder that goes with it. */

export type Stage = {
  readonly folder: string;
  readonly stamp: StampApi;
  readonly anotherStamp: () => Promise<StampApi>;
  /** Where its blobs are. */
  readonly blobOrigin: string;
  /** Of the service's own storage, for those who do without the service. */
  readonly connectionString: string;
};

/** Starts it; `undo` stops it and leaves nothing behind. */
export async function openStage(undo: AsyncDisposableStack): Promise<Stage> {
  const folder = await temporaryFolder(undo);
  const service = await startOwnService(folder);
  undo.defer(service.stop);
  const { registration } = await gather(service.origin, folder, randomUUID());
  return {
    folder,
    blobOrigin: new URL(service.blobEndpoint).origin,
    connectionString: await connectionStringOf(folder, service),
    stamp: await newStamp(service.origin, registration),
    anotherStamp: () => newStamp(service.origin, registration),
  };
}

const account = z.object({ name: z.string(), key: z.string() });

/** Opens the storage of the service of that folder, by the key that it made for it. */
async function connectionStringOf(
  folder: string,
  { blobEndpoint, tableEndpoint }: Pick<OwnService, "blobEndpoint" | "tableEndpoint">,
): Promise<string> {
  const { name, key } = account.parse(JSON.parse(await readFile(join(folder, "storage-account.json"), "utf8")));
  return `DefaultEndpointsProtocol=http;AccountName=${name};AccountKey=${key};BlobEndpoint=${blobEndpoint};TableEndpoint=${tableEndpoint};`;
}

/** A new stamp that the service knows. */
export async function newStamp(origin: string, registration: Service): Promise<StampApi> {
  const [stampId, key] = [randomUUID(), generateKey()];
  const jwk = publicHalf(key);
  await register(registration, stampId, {
    displayName: "Stamp under measurement",
    stampVersion,
    deploymentId: randomUUID(),
    cloud: "AzureCloud",
    geography: "Europe",
    registrationResourceId: `/subscriptions/${randomUUID()}/resourceGroups/azurestack/providers/Microsoft.AzureStack/registrations/bench`,
    keys: [{ keyId: await keyIdOf(jwk), jwk }],
  });
  return stampApi(connect(origin, asStamp(await signingKey(key))), stampId);
}

const stampVersion = "1.2501.1.47";
const fourHoursMs = 4 * 3_600_000;

/** A bundle that an operator sends now. */
export async function sentNow(stamp: StampApi): Promise<BundleDescription> {
  const now = new Date();
  const { version } = await currentTerms(stamp.service);
  return {
    mode: "sendNow",
    consent: { decidedBy: "Maria Jansen", decidedOn: now.toISOString(), termsVersion: version },
    logsFrom: new Date(now.getTime() - fourHoursMs).toISOString(),
    logsTo: now.toISOString(),
    collectedOn: now.toISOString(),
    stampVersion,
  };
}
