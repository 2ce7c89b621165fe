import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { Stretch } from "./blocks.ts";
import { FileChangedError } from "./errors.ts";

/** A bundle's file, read once from front to back: the same bytes are hashed for the submit and sent to storage. */

/** Tells one state of a file from another without reading it. */
export type FileMark = { readonly sizeBytes: number; readonly modifiedMs: number };

/** A stretch with what stands there. */
export type Read<S extends Stretch> = S & {
  /** A view on the buffer that `room` gave: good until that is given again. */
  readonly bytes: Uint8Array;
};

/** Gives a buffer of at least so many bytes. */
type Room = (sizeBytes: number) => Buffer;

export type BundleFile = {
  readonly path: string;
  readonly mark: FileMark;
  /** Reads the next of the stretches into a buffer from `room`; callers may overlap, stretches come in order. Undefined after the last. */
  readonly readNext: <S extends Stretch>(stretches: Iterator<S>, room: Room) => Promise<Read<S> | undefined>;
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

  async function read<S extends Stretch>(stretches: Iterator<S>, room: Room): Promise<Read<S> | undefined> {
    const { value: stretch, done } = stretches.next();
    if (done === true) return undefined;
    const bytes = room(stretch.sizeBytes).subarray(0, stretch.sizeBytes);
    await fill(handle, bytes, stretch.offset, path);
    whole.update(bytes);
    return { ...stretch, bytes };
  }

  return {
    path,
    mark,
    readNext: (stretches, room) => {
      // One reader at a time: SHA-256 takes its bytes in order, and the disk likes it too.
      const next = reading.then(() => read(stretches, room));
      reading = next.catch(() => undefined);
      return next;
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
