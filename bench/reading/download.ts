import { finished } from "node:stream/promises";
import type { BlobClient } from "@azure/storage-blob";
import { mebibyte } from "../sizes.ts";

/** Ranges as large and as many at a time as verification reads them (`shared/storage/blobs/rangedRead.ts`). */
const rangeBytes = 4 * mebibyte;
const rangesAtOnce = 3;

/** Downloads the whole blob in parallel ranges by the Azure SDK and throws the bytes away, in whatever order they come. */
export async function downloadAndForget(blob: BlobClient, sizeBytes: number): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < sizeBytes) {
      const offset = next;
      next += rangeBytes;
      const { readableStreamBody: body } = await blob.download(offset, Math.min(rangeBytes, sizeBytes - offset));
      if (body === undefined) throw new Error("storage answered a download without a body");
      body.on("data", () => {});
      await finished(body);
    }
  };
  await Promise.all(Array.from({ length: rangesAtOnce }, lane));
}
