import { randomBytes, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { BlobServiceClient } from "@azure/storage-blob";
import {
  type BundleLocation,
  bundleBlobName,
  dayContainerName,
  landingBlobName,
} from "../../shared/domain/containers.ts";
import { utcDay } from "../../shared/domain/utcDay.ts";
import { type BundleAccount, openBundleAccount } from "../../shared/storage/blobs/account.ts";
import type { CopiedVersion } from "../../shared/storage/blobs/read.ts";
import { mebibyte } from "../sizes.ts";

/** A blob where the service's verification finds it. */

export type Placed = { readonly at: BundleLocation; readonly version: CopiedVersion };

/** The service's own way to the blobs. */
export const openAccount = (connectionString: string): BundleAccount =>
  openBundleAccount({ name: "stampintake", connectionString });

const blockBytes = 8 * mebibyte;

export function* randomBlocks(sizeBytes: number): Generator<Buffer> {
  for (let left = sizeBytes; left > 0; left -= blockBytes) yield randomBytes(Math.min(left, blockBytes));
}

export const blocksOfFile = (path: string): AsyncIterable<Buffer> =>
  createReadStream(path, { highWaterMark: blockBytes });

/** Uploads the blocks to a landing container. Gives its name and the blob's ETag. */
export async function land(
  connectionString: string,
  blocks: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<{ landing: string; etag: string }> {
  const landing = `landing-bench-${randomUUID()}`;
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(landing);
  await container.create();
  const blob = container.getBlockBlobClient(landingBlobName);
  const ids: string[] = [];
  for await (const bytes of blocks) {
    const id = Buffer.from(String(ids.length).padStart(6, "0")).toString("base64");
    await blob.stageBlock(id, bytes, bytes.length);
    ids.push(id);
  }
  const { etag = "" } = await blob.commitBlockList(ids);
  return { landing, etag };
}

/** Copies what landed to the day's container, as verification begins. Throws where storage does not. */
export async function place(account: BundleAccount, source: { landing: string; etag: string }): Promise<Placed> {
  const at: BundleLocation = { day: utcDay(new Date()), stampId: randomUUID(), bundleId: randomUUID() };
  await account.ensureDay(at.day);
  const begun = await account.startCopy({ ...source, to: at });
  for (let state: typeof begun | undefined = begun; state !== undefined; state = await account.copyState(at)) {
    if (state.status === "success") return { at, version: state };
    if (state.status !== "pending") throw new Error(`The copy is ${state.status}`);
  }
  throw new Error("The copy is gone");
}

/** The placed blob as any client of storage sees it. */
export const blobOf = (connectionString: string, at: BundleLocation) =>
  BlobServiceClient.fromConnectionString(connectionString)
    .getContainerClient(dayContainerName(at.day))
    .getBlobClient(bundleBlobName(at));
