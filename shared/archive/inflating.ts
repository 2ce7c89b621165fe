import { createInflateRaw } from "node:zlib";
import type { EntryPlace } from "../domain/inventory.ts";
import { localHeaderLength } from "./content.ts";
import { LastBytes } from "./lastBytes.ts";
import { ArchiveError, endOfFile, type Source } from "./source.ts";

/** Bytes of an inflated zip that are kept: its directory and the records behind it are at its end. */
const keptBytes = 4 * 1024 * 1024;

/** Logs shrink much, zips hardly: a zip that inflates to more than this many times its size is made to. */
const mostGrowth = 20;

/** What one deflated zip is inflated to, at the most. */
export const inflatedBytes = ({
  sizeBytes,
  compressedBytes,
}: Pick<EntryPlace, "sizeBytes" | "compressedBytes">): number =>
  Math.min(sizeBytes, mostGrowth * (compressedBytes + 65_536));

/**
 * Inflates one deflated zip of a bundle as the bundle's bytes go by, once, and keeps its end, where its directory is.
 * What is wrong with it shows in `end`, never in `take`: the bundle itself is read on.
 */
export class InflatingTail {
  readonly #entry: EntryPlace;
  readonly #inflate = createInflateRaw({ chunkSize: 64 * 1024 });
  #failure: Error | undefined;
  #header = Buffer.alloc(0);
  #dataStart: number | undefined;
  /** What it may inflate to. */
  readonly #mostBytes: number;
  readonly #kept: LastBytes;

  constructor(entry: EntryPlace) {
    this.#entry = entry;
    this.#mostBytes = inflatedBytes(entry);
    this.#kept = new LastBytes(Math.min(keptBytes, this.#mostBytes));
    this.#inflate.on("error", (error) => this.#fail(error));
    this.#inflate.on("data", (chunk: Buffer) => this.#keep(chunk));
  }

  /** Whether bytes from `position` on are still needed; its local header tells where it ends only when it comes by. */
  needs(position: number): boolean {
    if (this.#failure !== undefined) return false;
    return this.#dataStart === undefined || position < this.#dataStart + this.#entry.compressedBytes;
  }

  /** Takes the bundle's bytes from `position` on; resolves when what is of this entry is inflated, so that little waits in memory. */
  async take(position: number, chunk: Buffer): Promise<void> {
    if (this.#failure !== undefined) return;
    const { headerOffset, compressedBytes } = this.#entry;
    try {
      this.#dataStart ??= this.#readHeader(position, chunk);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#dataStart === undefined || position + chunk.length <= headerOffset) return;
    const from = Math.max(0, this.#dataStart - position);
    const to = Math.min(chunk.length, this.#dataStart + compressedBytes - position);
    if (from < to) await this.#write(chunk.subarray(from, to));
  }

  /** The inflated zip's end as a file of which only that end can be read. Throws `ArchiveError` where it is no whole zip, or grows too much. */
  async end(): Promise<Source> {
    if (this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#inflate.once("close", resolve);
        this.#inflate.end();
      });
    }
    this.#inflate.destroy();
    if (this.#failure !== undefined) throw asArchiveError(this.#failure);
    const { lengthBytes } = this.#kept;
    if (lengthBytes !== this.#entry.sizeBytes) throw new ArchiveError("it unpacks to less than it says");
    return endOfFile(this.#kept.bytes(), lengthBytes);
  }

  #readHeader(position: number, chunk: Buffer): number | undefined {
    const wanted = this.#entry.headerOffset + this.#header.length - position;
    if (wanted < 0 || wanted >= chunk.length) return undefined;
    this.#header = Buffer.concat([this.#header, chunk.subarray(wanted, wanted + 30 - this.#header.length)]);
    return this.#header.length < 30 ? undefined : this.#entry.headerOffset + localHeaderLength(this.#header);
  }

  #write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#inflate.once("close", resolve);
      this.#inflate.write(bytes, () => {
        this.#inflate.off("close", resolve);
        resolve();
      });
    });
  }

  #keep(chunk: Buffer): void {
    this.#kept.add(chunk);
    if (this.#kept.lengthBytes > this.#mostBytes) {
      this.#fail(new GrowsTooMuch("it unpacks to more than it says or may"));
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#inflate.destroy();
  }
}

/** The sign of a zip bomb. */
export class GrowsTooMuch extends ArchiveError {}

const asArchiveError = (error: Error): ArchiveError =>
  error instanceof ArchiveError ? error : new ArchiveError(error.message, { cause: error });
