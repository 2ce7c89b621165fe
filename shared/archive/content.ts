import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";
import type { EntryPlace } from "../domain/inventory.ts";
import { deflated, stored } from "./entry.ts";
import { ArchiveError, type Source, within } from "./source.ts";

const localHeaderBytes = 30;
const localSignature = 0x04034b50;

/** Where an entry's own bytes begin: its local header may be longer than the directory knows. PKWARE APPNOTE 6.3.10, section 4.3.7. */
export async function dataOffset(zip: Source, entry: Pick<EntryPlace, "headerOffset">): Promise<number> {
  const left = zip.sizeBytes - entry.headerOffset;
  if (left < localHeaderBytes) throw new ArchiveError("an entry begins outside the file that holds it");
  return entry.headerOffset + localHeaderLength(await zip.read(entry.headerOffset, localHeaderBytes));
}

/** The length in bytes of the local header that begins here, its name and extra field included. */
export function localHeaderLength(header: Buffer): number {
  if (header.readUInt32LE(0) !== localSignature) throw new ArchiveError("an entry is not where the directory says");
  return localHeaderBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
}

/** A stored entry as a file of its own. */
export async function storedEntry(zip: Source, entry: EntryPlace): Promise<Source> {
  if (entry.method !== stored || entry.compressedBytes !== entry.sizeBytes) {
    throw new ArchiveError("the entry's sizes contradict each other");
  }
  return within(zip, await dataOffset(zip, entry), entry.sizeBytes);
}

/**
 * An entry's content as it was before it was put into the zip. Ends with an `ArchiveError` where it has another size or CRC than the directory says,
 * so whoever writes it down commits only at its end.
 */
export async function entryContent(zip: Source, entry: EntryPlace): Promise<Readable> {
  const start = await dataOffset(zip, entry);
  const { compressedBytes } = entry;
  if (start + compressedBytes > zip.sizeBytes) throw new ArchiveError("an entry lies outside the file that holds it");
  return decoded(zip.stream(start, compressedBytes), entry);
}

/** The content of an entry of a zip that is itself a deflated entry: inflates that one from its beginning to where the entry ends. */
export async function contentInsideDeflated(bundle: Source, outer: EntryPlace, entry: EntryPlace): Promise<Readable> {
  const inflated = await entryContent(bundle, outer);
  return decoded(Readable.from(entryBytesOf(inflated, entry)), entry);
}

function decoded(raw: Readable, entry: EntryPlace): Readable {
  const checked = new Checked(entry);
  const steps = entry.method === deflated ? [createInflateRaw(), checked] : [checked];
  if (entry.method !== deflated && entry.method !== stored) {
    throw new ArchiveError("the entry is compressed in a way that cannot be read here");
  }
  // Its error ends the last stream too, and there its reader meets it.
  pipeline([raw, ...steps]).catch(() => {});
  return checked;
}

/** The compressed bytes of an entry, cut out of the bytes of its zip as they go by. */
async function* entryBytesOf(zip: AsyncIterable<Buffer>, entry: EntryPlace): AsyncGenerator<Buffer> {
  let position = 0;
  let header = Buffer.alloc(0);
  let start: number | undefined;
  for await (const chunk of zip) {
    if (start === undefined) {
      const wanted = entry.headerOffset + header.length - position;
      if (wanted < chunk.length) {
        header = Buffer.concat([header, chunk.subarray(wanted, wanted + localHeaderBytes - header.length)]);
      }
      if (header.length === localHeaderBytes) start = entry.headerOffset + localHeaderLength(header);
    }
    if (start !== undefined) {
      const from = Math.max(0, start - position);
      const to = start + entry.compressedBytes - position;
      if (from < chunk.length) yield chunk.subarray(from, Math.min(chunk.length, to));
      if (to <= chunk.length) return;
    }
    position += chunk.length;
  }
  throw new ArchiveError("the zip ends before the entry does");
}

const isOfZlib = (error: Error): boolean => "code" in error && String(error.code).startsWith("Z_");

/** Passes the content on, and refuses what is more, less or other than the directory says. */
class Checked extends Transform {
  readonly #said: EntryPlace;
  #sizeBytes = 0;
  #crc = 0;

  constructor(said: EntryPlace) {
    super();
    this.#said = said;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null, data?: Buffer) => void) {
    this.#sizeBytes += chunk.length;
    this.#crc = crc32(chunk, this.#crc);
    if (this.#sizeBytes > this.#said.sizeBytes) done(new ArchiveError("the entry unpacks to more than it says"));
    else done(null, chunk);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void) {
    done(
      error !== null && isOfZlib(error)
        ? new ArchiveError("its compressed bytes are damaged", { cause: error })
        : error,
    );
  }

  override _flush(done: (error?: Error | null) => void) {
    if (this.#sizeBytes !== this.#said.sizeBytes) done(new ArchiveError("the entry unpacks to less than it says"));
    else if (this.#crc !== this.#said.crc32) done(new ArchiveError("the entry's CRC is another than the zip says"));
    else done(null);
  }
}
