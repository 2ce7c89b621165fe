import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BlobServiceClient, RestError, StorageSharedKeyCredential } from "@azure/storage-blob";
import {
  type QueueClient,
  StorageSharedKeyCredential as QueueCredential,
  QueueServiceClient,
} from "@azure/storage-queue";
import { z } from "zod";
import { type Answer, type RawRequest, send } from "./http.ts";

/** Blob Storage as a stamp and an engineer see it, through URLs alone; and as nobody but a test sees it, from the inside. */

export type UploadTarget = { readonly url: string; readonly requiredHeaders: Readonly<Record<string, string>> };

/** One request to a storage URL, with more query parameters. */
export function storageCall(
  url: string,
  method: string,
  options: Pick<RawRequest, "headers" | "body"> & { readonly query?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const { origin, pathname, search } = new URL(url);
  const more = Object.entries(options.query ?? {}).map(([name, value]) => `&${name}=${encodeURIComponent(value)}`);
  const body = options.body ?? (method === "PUT" ? "" : undefined);
  return send(origin, { method, path: `${pathname}${search}${more.join("")}`, headers: options.headers ?? {}, body });
}

/** One Put Blob. */
export const putBlob = ({ url, requiredHeaders }: UploadTarget, body: Uint8Array): Promise<Answer> =>
  storageCall(url, "PUT", { headers: requiredHeaders, body });

export const blockId = (index: number): string => Buffer.from(String(index).padStart(6, "0")).toString("base64");

/** One Put Block; nothing is committed yet. */
export const putBlock = ({ url, requiredHeaders }: UploadTarget, id: string, body: Uint8Array): Promise<Answer> =>
  storageCall(url, "PUT", { headers: requiredHeaders, body, query: { comp: "block", blockid: id } });

/**
 * One Put Block List, without `requiredHeaders`: they belong to blocks and blobs, and Azurite takes a block list that comes with
 * `x-ms-blob-type` for a blob.
 */
export const putBlockList = ({ url }: UploadTarget, ids: readonly string[]): Promise<Answer> =>
  storageCall(url, "PUT", {
    body: `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join("")}</BlockList>`,
    query: { comp: "blocklist" },
  });

/** Blocks of `blockBytes` and their list. Gives the first answer that is not 201, else the list's. */
export async function putBlocks(target: UploadTarget, bytes: Uint8Array, blockBytes: number): Promise<Answer> {
  const ids: string[] = [];
  for (let from = 0; from < bytes.byteLength; from += blockBytes) {
    const id = blockId(ids.length);
    ids.push(id);
    const answer = await putBlock(target, id, bytes.subarray(from, from + blockBytes));
    if (answer.status !== 201) return answer;
  }
  return putBlockList(target, ids);
}

/** A read through a URL that was issued. */
export const getBlob = (url: string): Promise<Answer> => storageCall(url, "GET");

const serviceFile = z.looseObject({ storage: z.looseObject({ blob: z.url(), queue: z.url(), table: z.url() }) });
const accountFile = z.looseObject({ name: z.string(), key: z.string() });

/** Where the storage of a running service answers; it is another place after each start. */
async function blobEndpoint(directory: string): Promise<string> {
  return serviceFile.parse(await readJson(join(directory, "service.json"))).storage.blob;
}

/** The same URL at the place where the storage answers now. */
export async function moved(url: string, directory: string): Promise<string> {
  const target = new URL(url);
  target.host = new URL(await blobEndpoint(directory)).host;
  return target.href;
}

/** The blob account of a running service, opened with its key from the folder: for proof that bytes are there, or gone. */
export async function blobAccount(directory: string): Promise<BlobServiceClient> {
  const { name, key } = accountFile.parse(await readJson(join(directory, "storage-account.json")));
  return new BlobServiceClient(await blobEndpoint(directory), new StorageSharedKeyCredential(name, key));
}

/** The connection string of a running service's storage, for a second service on it. */
export async function storageConnection(directory: string): Promise<string> {
  const { name, key } = accountFile.parse(await readJson(join(directory, "storage-account.json")));
  const { storage } = serviceFile.parse(await readJson(join(directory, "service.json")));
  const endpoints = Object.entries({ Blob: storage.blob, Queue: storage.queue, Table: storage.table });
  const named = endpoints.map(([service, url]) => `${service}Endpoint=${url.replace(/\/$/, "")};`);
  return `DefaultEndpointsProtocol=http;AccountName=${name};AccountKey=${key};${named.join("")}`;
}

/** A queue of a running service, made where it is missing, as the deployment makes it. */
export async function queueOf(directory: string, name: string): Promise<QueueClient> {
  const account = accountFile.parse(await readJson(join(directory, "storage-account.json")));
  const { storage } = serviceFile.parse(await readJson(join(directory, "service.json")));
  const service = new QueueServiceClient(storage.queue, new QueueCredential(account.name, account.key));
  const queue = service.getQueueClient(name);
  await queue.createIfNotExists();
  return queue;
}

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"));

/** `container/blob` of everything that the account holds, snapshots and uncommitted blobs too. */
export async function blobsHeld(directory: string): Promise<string[]> {
  const account = await blobAccount(directory);
  const held: string[] = [];
  for await (const { name } of account.listContainers()) held.push(...(await blobsIn(account, name)));
  return held;
}

/** None where the container has gone since it was listed: the service deletes some while it runs. */
async function blobsIn(account: BlobServiceClient, container: string): Promise<string[]> {
  const listed = account
    .getContainerClient(container)
    .listBlobsFlat({ includeSnapshots: true, includeUncommitedBlobs: true });
  try {
    const held: string[] = [];
    for await (const { name } of listed) held.push(`${container}/${name}`);
    return held;
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404) return [];
    throw error;
  }
}
