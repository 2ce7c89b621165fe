import type { BlobClient } from "@azure/storage-blob";
import { asServiceUnavailable, isOutage } from "../failures.ts";

/** Bytes of one range and ranges under way at once: together they bound the memory (`docs/performance.md`). */
const rangeBytes = 8 * 1024 * 1024;
const rangesAtOnce = 6;

const triesPerRange = 4;

/** Milliseconds in which a range must have come, at some 70 kB/s; one that hangs is asked for again. */
const rangeWithinMs = 60_000;

export type PinnedBlob = { readonly blob: BlobClient; readonly etag: string; readonly sizeBytes: number };

/**
 * Gives a blob's bytes in order to `take`, reading several ranges ahead. The bytes handed over are valid during the call
 * only: their memory is used again for a later range. Every range is of the version `etag`.
 */
export async function readInOrder(pinned: PinnedBlob, take: (bytes: Uint8Array) => void): Promise<void> {
  const stop = new AbortController();
  const ranges = Math.ceil(pinned.sizeBytes / rangeBytes);
  const slots = Array.from({ length: Math.min(rangesAtOnce, ranges) }, () => Buffer.allocUnsafeSlow(rangeBytes));
  const startRange = (index: number, slot: Buffer): Promise<Uint8Array> => {
    const offset = index * rangeBytes;
    const bytes = slot.subarray(0, Math.min(rangeBytes, pinned.sizeBytes - offset));
    const read = readRange(pinned, offset, bytes, stop.signal);
    // It may fail before its turn has come; then its turn tells.
    read.catch(() => {});
    return read;
  };

  const underWay = slots.map((slot, index) => ({ slot, read: startRange(index, slot) }));
  try {
    for (let index = 0; index < ranges; index++) {
      const turn = underWay[index % underWay.length];
      if (turn === undefined) break;
      take(await turn.read);
      if (index + underWay.length < ranges) turn.read = startRange(index + underWay.length, turn.slot);
    }
  } finally {
    stop.abort();
    await Promise.allSettled(underWay.map(({ read }) => read));
  }
}

/** Fills `bytes` from `offset` on; a connection that drops is taken up where it broke off. */
async function readRange(pinned: PinnedBlob, offset: number, bytes: Buffer, stop: AbortSignal): Promise<Uint8Array> {
  let received = 0;
  for (let left = triesPerRange - 1; ; left--) {
    try {
      await receive(pinned, offset + received, bytes.subarray(received), stop, (count) => {
        received += count;
      });
      return bytes;
    } catch (error) {
      if (left === 0 || stop.aborted || !isOutage(error)) throw asServiceUnavailable(error);
    }
  }
}

async function receive(
  { blob, etag }: PinnedBlob,
  offset: number,
  bytes: Buffer,
  stop: AbortSignal,
  onReceived: (count: number) => void,
): Promise<void> {
  const { readableStreamBody: body } = await blob.download(offset, bytes.length, {
    conditions: { ifMatch: etag },
    abortSignal: AbortSignal.any([stop, AbortSignal.timeout(rangeWithinMs)]),
    maxRetryRequests: 0,
  });
  if (body === undefined) throw new Error("storage answered a download without a body");
  let at = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw new Error("storage answered a download with text");
    bytes.set(chunk, at);
    at += chunk.length;
    onReceived(chunk.length);
    if (chunk.buffer.byteLength === chunk.length && process.env.FREE) (chunk.buffer as ArrayBuffer).transfer(0);
  }
  if (at < bytes.length) throw new Error("storage answered a download with fewer bytes than asked for");
}
