import { Readable } from "node:stream";
import type { Source } from "./source.ts";

/** Parts of a file that are wanted and kept as its bytes go by, so that they are not read again. */

type Part = { readonly start: number; readonly bytes: Buffer; filled: number };

export class PassingParts {
  readonly #parts: Part[] = [];

  /** Wants the `sizeBytes` from `start` on; before any of them has gone by. */
  want(start: number, sizeBytes: number): void {
    this.#parts.push({ start, bytes: Buffer.alloc(sizeBytes), filled: 0 });
  }

  /** Takes the file's bytes from `position` on, in order. */
  take(position: number, chunk: Buffer): void {
    for (const part of this.#parts) {
      const from = part.start + part.filled - position;
      if (from < 0 || from >= chunk.length) continue;
      part.filled += chunk.copy(part.bytes, part.filled, from);
    }
  }

  /** The file, which is not asked for what lies whole in a part that has gone by. */
  over(source: Source): Source {
    const kept = (offset: number, count: number): Buffer | undefined => {
      const part = this.#parts.find(
        ({ start, filled }) => start <= offset && offset + count <= start + filled && count > 0,
      );
      return part?.bytes.subarray(offset - part.start, offset - part.start + count);
    };
    return {
      sizeBytes: source.sizeBytes,
      read: async (offset, count) => kept(offset, count) ?? (await source.read(offset, count)),
      stream: (offset, count) => {
        const bytes = kept(offset, count);
        return bytes === undefined ? source.stream(offset, count) : Readable.from([bytes]);
      },
    };
  }
}
