import { createHash } from "node:crypto";
import { type BlockSizing, blockSizing } from "./blockSize.ts";
import { type Block, blockId, blockSizeRange, type PlannedStretch, stretchesOf } from "./blocks.ts";
import type { BundleFile, Read } from "./bundleFile.ts";
import { ConnectionError } from "./lineErrors.ts";
import { type BlobStorage, putBlock } from "./storage.ts";
import type { Exchange } from "./transport.ts";

/** Sends a file's blocks side by side while its SHA-256 is computed in order; memory is blocks in flight × block size. */

export type Staged = {
  /** Every block of the file, in order: what Put Block List makes the blob of. */
  readonly blockIds: readonly string[];
  readonly sha256: string;
  /** Bytes of the blocks that this call sent, each counted once. */
  readonly sentBytes: number;
};

export type StageOptions = {
  /** The largest block; smaller ones are sent where the line is slow or cut. */
  readonly blockSizeBytes: number;
  /** Blocks in flight at a time. */
  readonly concurrency: number;
  /** Ids of the blocks that storage holds from an earlier call; they are read and hashed, and not sent again. */
  readonly alreadyStaged: readonly string[];
  /** Called at the start and after each block. */
  readonly onProgress: (bytes: { readonly doneBytes: number; readonly sentBytes: number }) => void;
};

/** Stages every block that storage does not hold yet. Throws the first failure, once all blocks in flight have ended. */
export async function stageBlocks(file: BundleFile, storage: BlobStorage, options: StageOptions): Promise<Staged> {
  const { concurrency, alreadyStaged, onProgress } = options;
  const { sizeBytes } = file.mark;
  const sizing = blockSizing(blockSizeRange(sizeBytes, options.blockSizeBytes));
  const exchange = measuredBy(sizing, storage.exchange);
  const stretches = stretchesOf(sizeBytes, alreadyStaged, sizing.next);
  const idAt = new Map<number, string>();
  let doneBytes = 0;
  let sentBytes = 0;

  function done(block: Pick<Block, "offset" | "sizeBytes" | "id">, isSent: boolean): void {
    idAt.set(block.offset, block.id);
    doneBytes += block.sizeBytes;
    if (isSent) sentBytes += block.sizeBytes;
    onProgress({ doneBytes, sentBytes });
  }

  /** As one block, or as several where the line got worse since the stretch was read: each try cuts anew what is left. */
  async function send({ offset, bytes }: Read<PlannedStretch>, signal: AbortSignal): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      const cut = () => blockOf(offset + at, bytes.subarray(at, at + evenPart(bytes.byteLength - at, sizing.next())));
      const block = await putBlock({ ...storage, exchange, signal }, cut);
      done(block, true);
      at += block.sizeBytes;
    }
  }

  async function lane(signal: AbortSignal): Promise<void> {
    const room = growingBuffer();
    for (;;) {
      signal.throwIfAborted();
      const stretch = await file.readNext(stretches, room);
      if (stretch === undefined) return;
      const held = heldAs(stretch);
      if (held === undefined) await send(stretch, signal);
      else done(held, false);
    }
  }

  onProgress({ doneBytes, sentBytes });
  await together(concurrency, lane, storage.signal);
  const blockIds = [...idAt].sort(([one], [other]) => one - other).map(([, id]) => id);
  return { blockIds, sha256: await file.sha256(), sentBytes };
}

/** The block that storage holds of just this content; an equal id is equal content. */
function heldAs({ offset, bytes, stagedIds }: Read<PlannedStretch>): Block | undefined {
  if (stagedIds.length === 0) return undefined;
  const block = blockOf(offset, bytes);
  return stagedIds.includes(block.id) ? block : undefined;
}

function blockOf(offset: number, bytes: Uint8Array): Block {
  const stretch = { offset, sizeBytes: bytes.byteLength };
  const md5 = createHash("md5").update(bytes).digest();
  return { ...stretch, id: blockId(stretch, md5), md5: md5.toString("base64"), bytes };
}

/** The next of equal parts, none above `mostBytes`: no crumb is left at the end. */
const evenPart = (bytes: number, mostBytes: number): number => Math.ceil(bytes / Math.ceil(bytes / mostBytes));

/** One buffer, as large as the largest stretch that it was asked for. */
function growingBuffer(): (sizeBytes: number) => Buffer {
  let held = Buffer.alloc(0);
  return (sizeBytes) => {
    if (held.byteLength < sizeBytes) held = Buffer.allocUnsafeSlow(sizeBytes);
    return held;
  };
}

/** Tells the sizing how each block fared on the line; a refusal is no fault of the line, nor is a host that is not there. */
function measuredBy(sizing: BlockSizing, exchange: Exchange): Exchange {
  return async (request) => {
    const begun = performance.now();
    try {
      const answer = await exchange(request);
      if (answer.status < 300) sizing.arrived(request.body?.byteLength ?? 0, performance.now() - begun);
      return answer;
    } catch (error) {
      if (error instanceof ConnectionError && !error.nobodyThere) sizing.cut();
      throw error;
    }
  };
}

/** Runs that many lanes; the first that fails stops the others, and its failure is thrown when they have ended. */
async function together(
  count: number,
  lane: (signal: AbortSignal) => Promise<void>,
  outer: AbortSignal | undefined,
): Promise<void> {
  const failed = new AbortController();
  const signal = outer === undefined ? failed.signal : AbortSignal.any([outer, failed.signal]);
  const guarded = () => lane(signal).catch((error: unknown) => failed.abort(error));
  await Promise.all(Array.from({ length: count }, guarded));
  failed.signal.throwIfAborted();
}
