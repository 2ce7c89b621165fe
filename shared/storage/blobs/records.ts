import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { BlobServiceClient } from "@azure/storage-blob";
import type { Shelf } from "../../operations/needs.ts";
import { asServiceUnavailable, hasCode, isNotFound, orUnavailable } from "../failures.ts";

/** Bytes of a block: what is kept of an upload in memory, twice. */
const blockBytes = 4 * 1024 * 1024;

/** A container whose blobs are written once: in Azure its immutability policy lets nobody change or delete them. */
export function openShelf(service: BlobServiceClient, containerName: string): Shelf {
  const blobOf = (name: string) => service.getContainerClient(containerName).getBlockBlobClient(name);
  return {
    has: (name) => orUnavailable(() => blobOf(name).exists()),
    put: (name, lines) =>
      orUnavailable(async () => {
        try {
          await blobOf(name).uploadStream(Readable.from(inBytes(lines), { objectMode: false }), blockBytes, 1, {
            conditions: { ifNoneMatch: "*" },
          });
        } catch (error) {
          // Another run was first, with the same content: what is kept follows from a sealed checkpoint.
          if (!hasCode(error, "BlobAlreadyExists", "BlobImmutableDueToPolicy", "ConditionNotMet")) throw error;
        }
      }),
    lines: async function* (name) {
      try {
        const { readableStreamBody } = await blobOf(name).download();
        if (readableStreamBody === undefined) return;
        yield* createInterface({ input: Readable.from(readableStreamBody), crlfDelay: Number.POSITIVE_INFINITY });
      } catch (error) {
        if (!isNotFound(error)) throw asServiceUnavailable(error);
      }
    },
  };
}

async function* inBytes(lines: AsyncIterable<string>): AsyncGenerator<Buffer> {
  for await (const line of lines) yield Buffer.from(`${line}\n`);
}
