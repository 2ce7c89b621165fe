import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { type Block, blockId } from "./blocks.ts";
import { FileChangedError } from "./errors.ts";

/** A bundle's file, read once from front to back: the same bytes are hashed for the submit and sent to storage. */

/** Tells one state of a file from another without reading it. */
export type FileMark = { readonly sizeBytes: number; readonly modifiedMs: number };

export type ReadBlock = Block & {
  readonly id: string;
  readonly md5: string;
  /** A view on the buffer that was handed in: good until that is handed in again. */
  readonly bytes: Uint8Array;
};

export type BundleFile = {
  readonly path: string;
  readonly mark: FileMark;
  /** Reads the next of the blocks into `buffer`; callers may overlap, blocks come in order. Undefined after the last. */
  readonly nextBlock: (blocks: Iterator<Block>, buffer: Buffer) => Promise<ReadBlock | undefined>;
  /** The lower-case hex SHA-256 of what was read. Throws `FileChangedError` where the file is no longer as it was at the start. */
  readonly sha256: () => Promise<string>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** Opens a file to send. Throws what the file system says, with the path. */
export async function openBundleFile(path: string): Promise<BundleFile> {
  const handle = await open(path, "r");
  const mark = await markOf(handle);
  const whole = createHash("sha256");
  let reading: Promise<unknown> = Promise.resolve();

  async function read(blocks: Iterator<Block>, buffer: Buffer): Promise<ReadBlock | undefined> {
    const { value: block, done } = blocks.next();
    if (done === true) return undefined;
    const bytes = buffer.subarray(0, block.sizeBytes);
    await fill(handle, bytes, block.offset, path);
    whole.update(bytes);
    const md5 = createHash("md5").update(bytes).digest();
    return { ...block, id: blockId(block, md5), md5: md5.toString("base64"), bytes };
  }

  return {
    path,
    mark,
    nextBlock: (blocks, buffer) => {
      // One reader at a time: SHA-256 takes its bytes in order, and the disk likes it too.
      const block = reading.then(() => read(blocks, buffer));
      reading = block.catch(() => undefined);
      return block;
    },
    sha256: async () => {
      const { sizeBytes, modifiedMs } = await markOf(handle);
      if (sizeBytes !== mark.sizeBytes || modifiedMs !== mark.modifiedMs) throw new FileChangedError(path);
      return whole.digest("hex");
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function markOf(handle: FileHandle): Promise<FileMark> {
  const { size, mtimeMs } = await handle.stat();
  return { sizeBytes: size, modifiedMs: mtimeMs };
}

async function fill(handle: FileHandle, bytes: Uint8Array, offset: number, path: string): Promise<void> {
  for (let filled = 0; filled < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, offset + filled);
    if (bytesRead === 0) throw new FileChangedError(path);
    filled += bytesRead;
  }
}
