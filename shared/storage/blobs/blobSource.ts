import { Readable } from "node:stream";
import type { Source } from "../../archive/source.ts";
import { orUnavailable } from "../failures.ts";
import { type PinnedBlob, readRange } from "./rangedRead.ts";

/** Bytes of one range of a stream: the most that waits in memory. */
const streamRangeBytes = 4 * 1024 * 1024;

/** One version of a blob, read where it is needed. */
export function blobSource(pinned: PinnedBlob): Source {
  const read = (offset: number, count: number): Promise<Buffer> =>
    orUnavailable(async () => (count === 0 ? Buffer.alloc(0) : Buffer.concat(await readRange(pinned, offset, count))));

  async function* ranges(offset: number, count: number): AsyncGenerator<Buffer> {
    for (let at = offset; at < offset + count; at += streamRangeBytes) {
      yield await read(at, Math.min(streamRangeBytes, offset + count - at));
    }
  }

  return {
    sizeBytes: pinned.sizeBytes,
    read,
    stream: (offset, count) => Readable.from(ranges(offset, count), { objectMode: false }),
  };
}
