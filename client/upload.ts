import { blocksOf } from "./blocks.ts";
import type { BundleFile } from "./bundleFile.ts";
import type { RetryOptions } from "./retry.ts";
import { putBlock } from "./storage.ts";
import type { UploadTarget } from "./uploadTarget.ts";

/** Sends a file's blocks side by side while its SHA-256 is computed in order; memory is blocks in flight × block size. */

export type Staged = {
  /** Every block of the file, in order: what Put Block List makes the blob of. */
  readonly blockIds: readonly string[];
  readonly sha256: string;
  readonly sentBytes: number;
};

export type StageOptions = RetryOptions & {
  readonly blockSizeBytes: number;
  /** Blocks in flight at a time. */
  readonly concurrency: number;
  /** Ids of the blocks that storage holds from an earlier call; they are read and hashed, and not sent again. */
  readonly alreadyStaged: ReadonlySet<string>;
  /** Called at the start and after each block. */
  readonly onProgress: (bytes: { readonly doneBytes: number; readonly sentBytes: number }) => void;
};

/** Stages every block that storage does not hold yet. Throws the first failure, once all blocks in flight have ended. */
export async function stageBlocks(file: BundleFile, target: UploadTarget, options: StageOptions): Promise<Staged> {
  const { policy, onRetry, blockSizeBytes, concurrency, alreadyStaged, onProgress } = options;
  const blocks = blocksOf(file.mark.sizeBytes, blockSizeBytes);
  const blockIds: string[] = [];
  let doneBytes = 0;
  let sentBytes = 0;

  async function lane(signal: AbortSignal): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(blockSizeBytes, file.mark.sizeBytes));
    for (;;) {
      signal.throwIfAborted();
      const block = await file.nextBlock(blocks, buffer);
      if (block === undefined) return;
      blockIds[block.index] = block.id;
      if (!alreadyStaged.has(block.id)) {
        await putBlock(target, block, { policy, onRetry, signal });
        sentBytes += block.sizeBytes;
      }
      doneBytes += block.sizeBytes;
      onProgress({ doneBytes, sentBytes });
    }
  }

  onProgress({ doneBytes, sentBytes });
  await together(concurrency, lane, options.signal);
  return { blockIds, sha256: await file.sha256(), sentBytes };
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
