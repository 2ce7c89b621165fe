import type { BlobClient, BlobServiceClient } from "@azure/storage-blob";
import {
  type BundleLocation,
  bundleBlobName,
  dayContainerName,
  filesBlobName,
  inventoryBlobName,
  lentPathsBlobName,
} from "../../domain/containers.ts";
import { type InventoryRecord, inventoryRecord } from "../../domain/inventory.ts";
import { hasCode, isConflict, isNotFound, orUnavailable } from "../failures.ts";
import { deleteBlob } from "./deletion.ts";

/** What is derived from a bundle's content, beside it in its day container, so that it dies with it. */
export type Inventories = {
  /** The lines first; the record, which makes them an inventory, once and for all. Repeating it is safe. */
  readonly keepInventory: (at: BundleLocation, record: InventoryRecord, lines: Buffer) => Promise<void>;
  readonly inventory: (at: BundleLocation) => Promise<InventoryRecord | undefined>;
  /** Lines from a byte offset on, at most `count` bytes of them; undefined where there is no inventory. */
  readonly inventoryLines: (at: BundleLocation, offset: number, count: number) => Promise<Buffer | undefined>;
  /** Deletes the bundle, its snapshots, and all that is derived from it; returns once it is gone. Repeating it is safe. */
  readonly deleteBundle: (at: BundleLocation) => Promise<void>;
};

export function openInventories(service: BlobServiceClient): Inventories {
  const inDay = (at: BundleLocation) => service.getContainerClient(dayContainerName(at.day));

  return {
    keepInventory: (at, record, lines) =>
      orUnavailable(async () => {
        await inDay(at).getBlockBlobClient(filesBlobName(at)).uploadData(lines);
        // Paths that are lent later are appended to it: it is as old as the bundle then, also for a lifecycle rule.
        await inDay(at).getAppendBlobClient(lentPathsBlobName(at)).createIfNotExists();
        const text = JSON.stringify(record);
        try {
          const blob = inDay(at).getBlockBlobClient(inventoryBlobName(at));
          await blob.upload(text, Buffer.byteLength(text), { conditions: { ifNoneMatch: "*" } });
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }),

    inventory: (at) =>
      orUnavailable(async () => {
        const text = await contentOf(inDay(at).getBlobClient(inventoryBlobName(at)));
        return text === undefined ? undefined : inventoryRecord.parse(JSON.parse(text.toString()));
      }),

    inventoryLines: (at, offset, count) =>
      orUnavailable(() => contentOf(inDay(at).getBlobClient(filesBlobName(at)), offset, count)),

    deleteBundle: (at) =>
      orUnavailable(async () => {
        // The bundle's bytes first; the rest is found by its name.
        await deleteBlob(inDay(at).getBlobClient(bundleBlobName(at)));
        try {
          for await (const { name } of inDay(at).listBlobsFlat({ prefix: `${bundleBlobName(at)}.` })) {
            await deleteBlob(inDay(at).getBlobClient(name));
          }
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }),
  };
}

/** Undefined where there is no such blob; less than asked for where it ends before. */
async function contentOf(blob: BlobClient, offset = 0, count?: number): Promise<Buffer | undefined> {
  try {
    const { readableStreamBody: body } = await blob.download(offset, count);
    const chunks: Buffer[] = [];
    for await (const chunk of body ?? []) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (hasCode(error, "InvalidRange")) return Buffer.alloc(0);
    throw error;
  }
}
