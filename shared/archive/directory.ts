import { fromRandomAccessReaderPromise, RandomAccessReader } from "yauzl";
import { type Directory, findDirectory } from "../domain/zip.ts";
import { type ZipEntry, zipEntry } from "./entry.ts";
import { ArchiveError, type FileEnd, type Source, withEnd } from "./source.ts";

/** A zip's directory as found by its end records; `end` is what was read of the file to find it, the records at least. */
export type FoundDirectory = Directory & { readonly end: FileEnd };

/** The end records alone, then with the longest comment: most zips have none, and every byte counts. */
const probes = [98, 66_000];

/** Finds the directory by the file's end, reading little more than its records. Throws `ArchiveError` where there is none. */
export async function locateDirectory(source: Source): Promise<FoundDirectory> {
  let tail = Buffer.alloc(0);
  for (const probe of probes) {
    const start = source.sizeBytes - Math.min(probe, source.sizeBytes);
    tail = Buffer.concat([await source.read(start, source.sizeBytes - tail.length - start), tail]);
    const found = findDirectory({ tail, sizeBytes: source.sizeBytes });
    if (typeof found === "string") continue;
    if (found.offset + found.sizeBytes !== found.endsBefore) break;
    return { ...found, end: { start, bytes: tail } };
  }
  throw new ArchiveError("it has no directory where a zip has one");
}

/** Bytes of an entry of the directory before its name. PKWARE APPNOTE 6.3.10, section 4.3.12. */
const entryBytes = 46;

/** The entries in the directory's order; throws `ArchiveError` at the first that cannot be read, or where it holds more than it counts. */
export async function* entriesIn(source: Source, directory: FoundDirectory): AsyncGenerator<ZipEntry> {
  const reader = new DirectoryReader(source, directory);
  try {
    const zip = await fromRandomAccessReaderPromise(reader, source.sizeBytes, {
      decodeStrings: false,
      validateEntrySizes: false,
    });
    let position = directory.offset;
    for await (const entry of zip.eachEntry()) {
      position += entryBytes + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
      yield zipEntry(entry);
    }
    if (position !== directory.endsBefore) throw new ArchiveError("its directory holds more than it counts");
  } catch (error) {
    throw reader.failure ?? asArchiveError(error);
  }
}

/** What yauzl finds wrong is a plain error; a field that points outside its record is a range error. */
const asArchiveError = (error: unknown): unknown =>
  error instanceof Error && (error.constructor === Error || error instanceof RangeError)
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
    this.#source = withEnd(source, directory.end);
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
    const { offset, endsBefore, end } = this.#directory;
    if (position + into.length > this.#source.sizeBytes) throw new ArchiveError("its directory reaches past its end");
    if (position + into.length > endsBefore) {
      into.fill(0);
      const from = Math.max(position, endsBefore);
      end.bytes.copy(into, from - position, from - end.start);
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
