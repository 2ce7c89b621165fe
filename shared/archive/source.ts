import { Readable } from "node:stream";

/** A file that is read where it is needed: a blob, a stored entry inside one, or bytes at hand. */
export type Source = {
  readonly sizeBytes: number;
  /** Exactly these bytes. Both numbers are in bytes and inside the file. */
  readonly read: (offset: number, count: number) => Promise<Buffer>;
  /** The same bytes as they come, for what is too long to hold. */
  readonly stream: (offset: number, count: number) => Readable;
};

/** Content asks for more than it may: the archive is hostile or broken, not our storage. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}

/** The sign of directories that overlap. */
export class TooMuchReading extends ArchiveError {}

/** A part of a file as a file of its own; refuses what lies outside it. */
export function within(source: Source, start: number, sizeBytes: number): Source {
  if (start < 0 || sizeBytes < 0 || start + sizeBytes > source.sizeBytes) {
    throw new ArchiveError("an entry lies outside the file that holds it");
  }
  return {
    sizeBytes,
    read: (offset, count) => source.read(start + inside(offset, count, sizeBytes), count),
    stream: (offset, count) => source.stream(start + inside(offset, count, sizeBytes), count),
  };
}

/** The sign of what may well be whole, and lies before the part of a file that is at hand. */
export class OutOfReach extends ArchiveError {}

/** Bytes at hand, which begin at `start` of a file of `sizeBytes` and reach its end. */
export function endOfFile(bytes: Buffer, sizeBytes: number): Source {
  const start = sizeBytes - bytes.length;
  const read = (offset: number, count: number): Buffer => {
    inside(offset, count, sizeBytes);
    if (offset < start) throw new OutOfReach("the directory begins before the part of the file that is kept");
    return bytes.subarray(offset - start, offset - start + count);
  };
  return {
    sizeBytes,
    read: async (offset, count) => read(offset, count),
    stream: (offset, count) => Readable.from([read(offset, count)]),
  };
}

/** The last bytes of a file, from `start` on. */
export type FileEnd = { readonly start: number; readonly bytes: Buffer };

/** The source, whose end is at hand and is not asked for again. */
export function withEnd(source: Source, { start, bytes }: FileEnd): Source {
  return {
    ...source,
    read: async (offset, count) => {
      const before = Math.min(Math.max(start - offset, 0), count);
      const head = before > 0 ? await source.read(offset, before) : Buffer.alloc(0);
      if (before === count) return head;
      const from = inside(offset, count, source.sizeBytes) + before - start;
      const rest = bytes.subarray(from, from + count - before);
      return before === 0 ? rest : Buffer.concat([head, rest]);
    },
  };
}

/** The source, of which no more than `budgetBytes` are read in all: what overlaps itself cannot make us read for ever. */
export function withBudget(source: Source, budgetBytes: number): Source {
  let left = budgetBytes;
  const spend = (count: number): void => {
    left -= count;
    if (left < 0) throw new TooMuchReading("its directories point at the same bytes again and again");
  };
  return {
    sizeBytes: source.sizeBytes,
    read: (offset, count) => {
      spend(count);
      return source.read(offset, count);
    },
    stream: (offset, count) => {
      spend(count);
      return source.stream(offset, count);
    },
  };
}

function inside(offset: number, count: number, sizeBytes: number): number {
  if (offset >= 0 && count >= 0 && offset + count <= sizeBytes) return offset;
  throw new ArchiveError("an entry points outside the file that holds it");
}
