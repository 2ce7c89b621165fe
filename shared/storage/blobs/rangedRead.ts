import { finished } from "node:stream/promises";
import type { BlobClient } from "@azure/storage-blob";
import { DomainError } from "../../errors.ts";
import { asServiceUnavailable, serviceUnavailable } from "../failures.ts";

/** Bytes of one range and ranges under way at once: together they bound the memory (`docs/performance.md`). */
const rangeBytes = 4 * 1024 * 1024;
const rangesAtOnce = 3;

const triesPerRange = 4;

/** Milliseconds in which a range must have come, at some 140 kB/s; one that hangs is asked for again. */
const rangeWithinMs = 60_000;

/** One version of a blob: whatever is read is of this ETag. */
export type PinnedBlob = { readonly blob: BlobClient; readonly etag: string; readonly sizeBytes: number };

/** Bytes in order; each chunk owns its memory, so that whoever takes it may pass it on or free it. */
export type Chunks = readonly Uint8Array<ArrayBuffer>[];

/**
 * Gives a blob's bytes, up to `upTo` and in order, to `take` while it reads some ranges ahead; `take` is asked again only when it is done. A further range is asked for only when `take`
 * is done with an earlier one, so a slow taker slows the reading and the memory stays bounded.
 */
export async function readInOrder(
  pinned: PinnedBlob,
  upTo: number,
  take: (chunks: Chunks) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const ranges = Math.ceil(upTo / rangeBytes);
  const underWay: Promise<Chunks>[] = [];
  const start = (index: number, after: Promise<void>): void => {
    const offset = index * rangeBytes;
    const count = Math.min(rangeBytes, upTo - offset);
    const read = after.then(() => readRange(pinned, offset, count, stop.signal));
    // It may fail before its turn has come; then its turn tells.
    read.catch(() => {});
    underWay.push(read);
  };

  for (let index = 0; index < Math.min(rangesAtOnce, ranges); index++) start(index, Promise.resolve());
  try {
    let taken = Promise.resolve();
    for (let index = rangesAtOnce; underWay.length > 0; index++) {
      const chunks = await underWay.shift();
      taken = taken.then(() => take(chunks ?? []));
      // Whoever waits for it is told; the last one is waited for below.
      taken.catch(() => {});
      if (index < ranges) start(index, taken);
      else await taken;
    }
  } finally {
    stop.abort();
    await Promise.allSettled(underWay);
  }
}

/** Reads `count` bytes from `offset` on; a connection that drops is taken up where it broke off. */
export async function readRange(
  pinned: PinnedBlob,
  offset: number,
  count: number,
  stop?: AbortSignal,
): Promise<Chunks> {
  const end = offset + count;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let at = offset;
  for (let triesLeft = triesPerRange; at < end; triesLeft--) {
    if (triesLeft === 0) throw new Error("storage keeps answering a download with fewer bytes than asked for");
    try {
      await receive(pinned, at, end - at, stop, (chunk) => {
        chunks.push(chunk);
        at += chunk.length;
      });
    } catch (error) {
      const failure = asServiceUnavailable(error);
      if (triesLeft === 1 || stop?.aborted || !(failure instanceof DomainError)) throw failure;
    }
  }
  return chunks;
}

async function receive(
  { blob, etag }: PinnedBlob,
  offset: number,
  count: number,
  stop: AbortSignal | undefined,
  onChunk: (chunk: Uint8Array<ArrayBuffer>) => void,
): Promise<void> {
  const { readableStreamBody: body } = await blob.download(offset, count, {
    conditions: { ifMatch: etag },
    abortSignal: AbortSignal.any([...(stop === undefined ? [] : [stop]), AbortSignal.timeout(rangeWithinMs)]),
    maxRetryRequests: 0,
  });
  if (body === undefined) throw new Error("storage answered a download without a body");
  body.on("data", (chunk: Buffer<ArrayBuffer>) => onChunk(owningItsMemory(chunk)));
  try {
    await finished(body);
  } catch (error) {
    // The SDK calls a broken connection many names, corruption among them; what has come is whole, and the digest decides.
    throw serviceUnavailable(error);
  }
}

/** The chunk itself where nothing else lies in its memory, else a copy. */
const owningItsMemory = (chunk: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  chunk.length === chunk.buffer.byteLength ? chunk : new Uint8Array(chunk);
