import { fromRandomAccessReaderPromise, RandomAccessReader } from "yauzl";
import { type Directory, findDirectory } from "../domain/zip.ts";
import { type ZipEntry, zipEntry } from "./entry.ts";
import { ArchiveError, type Source } from "./source.ts";

/** A zip's directory as found by its end records; `records` are the bytes behind it, to the file's end. */
export type FoundDirectory = Directory & { readonly records: Buffer };

/** The end records alone, then with the longest comment: most zips have none, and every byte counts. */
const probes = [98, 66_000];

/** Finds the directory by the file's end, reading little more than its records. Throws `ArchiveError` where there is none. */
export async function locateDirectory(source: Source): Promise<FoundDirectory> {
  for (const probe of probes) {
    const count = Math.min(probe, source.sizeBytes);
    const tail = await source.read(source.sizeBytes - count, count);
    const found = findDirectory({ tail, sizeBytes: source.sizeBytes });
    if (typeof found === "string") continue;
    if (found.offset + found.sizeBytes !== found.endsBefore) break;
    return { ...found, records: tail.subarray(tail.length - (source.sizeBytes - found.endsBefore)) };
  }
  throw new ArchiveError("it has no directory where a zip has one");
}

/** The entries in the directory's order; throws `ArchiveError` at the first that cannot be read. */
export async function* entriesIn(source: Source, directory: FoundDirectory): AsyncGenerator<ZipEntry> {
  const reader = new DirectoryReader(source, directory);
  try {
    const zip = await fromRandomAccessReaderPromise(reader, source.sizeBytes, {
      decodeStrings: false,
      validateEntrySizes: false,
    });
    for await (const entry of zip.eachEntry()) yield zipEntry(entry);
  } catch (error) {
    throw reader.failure ?? asArchiveError(error);
  }
}

const asArchiveError = (error: unknown): unknown =>
  error instanceof Error && error.constructor === Error
    ? new ArchiveError(`its directory is damaged: ${error.message}`, { cause: error })
    : error;

const windowBytes = 1024 * 1024;

/**
 * Gives yauzl the directory and the records behind it; its search for the end of a file sees zeros before them, so that nothing else is read.
 * The directory comes in windows, each read once: its entries are asked for in order.
 */
class DirectoryReader extends RandomAccessReader {
  readonly #source: Source;
  readonly #directory: FoundDirectory;
  #window: { start: number; bytes: Buffer } = { start: 0, bytes: Buffer.alloc(0) };
  failure: unknown;

  constructor(source: Source, directory: FoundDirectory) {
    super();
    this.#source = source;
    this.#directory = directory;
  }

  override read(into: Buffer, offset: number, length: number, position: number, done: (error: Error | null) => void) {
    this.#fill(into.subarray(offset, offset + length), position).then(
      () => done(null),
      (error: unknown) => {
        this.failure = error;
        done(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  override close(done: (error: Error | null) => void) {
    done(null);
  }

  async #fill(into: Buffer, position: number): Promise<void> {
    const { offset, endsBefore, records } = this.#directory;
    if (position + into.length > endsBefore) {
      into.fill(0);
      const from = Math.max(position, endsBefore);
      records.copy(into, from - position, from - endsBefore);
      return;
    }
    if (position < offset) throw new ArchiveError("its directory points outside itself");
    for (let at = position; at < position + into.length; ) {
      const window = await this.#windowAt(at);
      at += window.bytes.copy(into, at - position, at - window.start);
    }
  }

  async #windowAt(position: number) {
    const { start, bytes } = this.#window;
    if (position < start || position >= start + bytes.length) {
      const count = Math.min(windowBytes, this.#directory.endsBefore - position);
      this.#window = { start: position, bytes: await this.#source.read(position, count) };
    }
    return this.#window;
  }
}
