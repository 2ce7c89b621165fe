import type { RoleContent } from "../api/bundles.ts";
import {
  type EntryPlace,
  type InventoryWarning,
  isZipName,
  type ListedFile,
  type RoleZip,
  roleOf,
} from "../domain/inventory.ts";
import { storedEntry } from "./content.ts";
import { entriesIn, type FoundDirectory, locateDirectory } from "./directory.ts";
import { deflated, stored, type ZipEntry } from "./entry.ts";
import { FileList, mostFiles, type SortedFiles } from "./fileList.ts";
import { GrowsTooMuch, InflatingTail, inflatedBytes } from "./inflating.ts";
import { PassingParts } from "./passing.ts";
import { RoleContents } from "./roleContents.ts";
import { ArchiveError, type FileEnd, OutOfReach, type Source, TooMuchReading, withBudget, withEnd } from "./source.ts";

/** What a bundle holds. */
export type Inventory = SortedFiles & {
  readonly zips: readonly RoleZip[];
  readonly warnings: Readonly<Partial<Record<InventoryWarning, number>>>;
  /** Times of the files in role zips, where they have any. */
  readonly from?: string;
  readonly to?: string;
  /** What a collection writes about itself beside the role zips. */
  readonly beside: Beside;
  /** A zip that was looked into counts by its files. */
  readonly contents: readonly RoleContent[];
};

/** `DOMAIN.md`, Shapes and sizes. */
export type Beside = { readonly log?: EntryPlace; readonly stampInformation?: EntryPlace };

const besideNames = {
  log: "get-azurestacklog_output.log",
  stampInformation: "azurestackstampinformation.json",
} as const;

/**
 * Takes the inventory of a bundle beside its verification: before the pass over its bytes its directory is read, in the pass the deflated zips in it
 * are looked into as they go by, after it the stored ones by range. Memory is bounded whatever the zip says.
 */
export type InventoryTaking = {
  /** The end of the bundle that was read to find its entries, so that nobody need read it again. */
  readonly kept: FileEnd;
  /** The bundle, of which what is read for the inventory beside the pass is no more than its size. */
  readonly bundle: Source;
  /** Takes the bundle's bytes from `position` on, in order; what it was given is its own no more once it resolves. */
  readonly take: (position: number, chunk: Buffer) => Promise<void>;
  readonly finish: () => Promise<Inventory>;
};

/** A directory up to this size is read before the pass; a longer one is no stamp's, and its zips are not looked into. */
const mostKeptBytes = 16 * 1024 * 1024;

/** What a collection writes about itself is short; of what is longer nothing is kept. */
export const mostBesideBytes = 1024 * 1024;

/** Zips inside that are looked into. */
const mostZips = 2_000;

/** What all zips of a bundle are inflated to, at the most: they hardly shrink, and a verification has half an hour (`host.json`). */
const mostInflatedBytes = (bundleBytes: number): number => 4 * bundleBytes + 128 * 1024 * 1024;

/** Throws `ArchiveError` where the file is no zip. */
export async function openInventory(file: Source): Promise<InventoryTaking> {
  const budgeted = withBudget(file, file.sizeBytes);
  const directory = await locateDirectory(budgeted);
  const isShort = directory.sizeBytes <= mostKeptBytes;
  const kept = isShort ? await readDirectory(budgeted, directory) : directory.end;
  const passing = new PassingParts();
  const bundle = passing.over(withEnd(budgeted, kept));
  const listing = new Listing();
  const wanted = isShort ? await wantedOf(bundle, directory) : { zips: [], beside: [] };
  const taps = wanted.zips;
  for (const entry of wanted.beside) passing.want(entry.headerOffset, entryBytes(entry, bundle.sizeBytes));
  let tap: { readonly zip: ZipEntry; readonly tail: InflatingTail } | undefined;

  const endTap = async (): Promise<void> => {
    if (tap === undefined) return;
    const { zip, tail } = tap;
    tap = undefined;
    await listing.addZip(zip, () => tail.end());
  };

  return {
    kept,
    bundle,
    take: async (position, chunk) => {
      passing.take(position, chunk);
      for (;;) {
        const next = taps[0];
        if (tap === undefined && next !== undefined && next.headerOffset < position + chunk.length) {
          tap = { zip: next, tail: new InflatingTail(next) };
          taps.shift();
        }
        if (tap === undefined) return;
        await tap.tail.take(position, chunk);
        if (tap.tail.needs(position + chunk.length)) return;
        await endTap();
      }
    },
    finish: async () => {
      await endTap();
      await listing.addBundle(bundle, directory);
      return listing.done();
    },
  };
}

async function readDirectory(bundle: Source, { offset, end }: FoundDirectory): Promise<FileEnd> {
  if (end.start <= offset) return end;
  return { start: offset, bytes: Buffer.concat([await bundle.read(offset, end.start - offset), end.bytes]) };
}

/** What is wanted of the bundle's bytes as they go by. */
async function wantedOf(bundle: Source, directory: FoundDirectory) {
  const zips: ZipEntry[] = [];
  const beside = new Map<string, ZipEntry>();
  let left = mostInflatedBytes(bundle.sizeBytes);
  for await (const entry of readable(entriesIn(bundle, directory))) {
    const isInflated = isReadableZip(entry) && entry.method === deflated && zips.length < mostZips;
    if (isInflated && inflatedBytes(entry) <= left) {
      left -= inflatedBytes(entry);
      zips.push(entry);
    }
    const key = besideKey(entry);
    if (key !== undefined && !beside.has(key)) beside.set(key, entry);
  }
  const short = [...beside.values()].filter(({ compressedBytes }) => compressedBytes <= mostBesideBytes);
  return { zips: oneAtATime(zips), beside: short };
}

/** In the order of their bytes, and none that overlaps the one before it: one at a time is in memory. */
function oneAtATime(zips: ZipEntry[]): ZipEntry[] {
  zips.sort((a, b) => a.headerOffset - b.headerOffset);
  let last = 0;
  return zips.filter((zip) => {
    if (zip.headerOffset < last) return false;
    last = zip.headerOffset + 30 + zip.nameBytes + zip.compressedBytes;
    return true;
  });
}

/** What an entry takes in the file, with room for a local header that is longer than the directory knows. */
const entryBytes = ({ headerOffset, nameBytes, compressedBytes }: ZipEntry, sizeBytes: number): number =>
  Math.max(0, Math.min(30 + nameBytes + 1024 + compressedBytes, sizeBytes - headerOffset));

/** The entries up to where the directory is damaged. */
async function* readable(entries: AsyncIterable<ZipEntry>): AsyncGenerator<ZipEntry> {
  try {
    yield* entries;
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
  }
}

const isInnerZip = (entry: ZipEntry): boolean =>
  entry.problem === undefined && !entry.isDirectory && isZipName(entry.path);

const isReadableZip = (entry: ZipEntry): boolean => isInnerZip(entry) && !entry.isEncrypted;

/** The listing as it grows, and what was found wrong on the way. */
class Listing {
  readonly #list = new FileList();
  readonly #zips: RoleZip[] = [];
  /** Entries whose zips were looked into; several may say to begin at the same byte. */
  readonly #looked = new Set<string>();
  /** The place of each zip in the list, and those in which a file was found. */
  readonly #zipOf = new Map<string, number>();
  readonly #opened = new Set<number | undefined>();
  readonly #contents = new RoleContents();
  readonly #warnings: Partial<Record<InventoryWarning, number>> = {};
  #from: string | undefined;
  #to: string | undefined;
  #beside: Beside = {};
  #seen = 0;

  /** The bundle's own entries, and what is in its stored zips. */
  async addBundle(bundle: Source, directory: FoundDirectory): Promise<void> {
    const spans = new Spans();
    try {
      for await (const entry of entriesIn(bundle, directory)) {
        spans.add(entry);
        if (isInnerZip(entry) && !this.#looked.has(keyOf(entry))) await this.#lookInto(bundle, entry);
        this.#noteBeside(entry);
        if (!this.#add(entry, this.#roleAt(entry))) break;
      }
    } catch (error) {
      this.#warn(warningOf(error, "damagedDirectory"));
    }
    this.#warn("overlappingEntries", spans.overlapping());
  }

  /** What is in one zip of the bundle. Whatever is wrong with it, it is listed as a file itself. */
  async addZip(entry: ZipEntry, open: () => Promise<Source>): Promise<void> {
    this.#looked.add(keyOf(entry));
    const spans = new Spans();
    try {
      const zip = this.#addRoleZip(entry);
      const source = await open();
      const role = roleOf(entry.path)?.role;
      for await (const inner of entriesIn(source, await locateDirectory(source))) {
        spans.add(inner);
        const path = `${entry.path}/${inner.path}`;
        if (!this.#add({ ...inner, path }, { zip, ...(role === undefined ? {} : { role }) })) break;
        if (!inner.isDirectory) this.#sawTime(inner.modifiedOn);
      }
    } catch (error) {
      this.#warn(warningOf(error, "damagedRoleZip"));
    }
    this.#warn("overlappingEntries", spans.overlapping());
  }

  done(): Inventory {
    const sorted = this.#list.sorted();
    this.#warn("duplicatePath", sorted.duplicates);
    return {
      ...sorted,
      zips: this.#zips,
      warnings: this.#warnings,
      beside: this.#beside,
      contents: this.#contents.inOrder(),
      ...(this.#from === undefined ? {} : { from: this.#from }),
      ...(this.#to === undefined ? {} : { to: this.#to }),
    };
  }

  async #lookInto(bundle: Source, entry: ZipEntry): Promise<void> {
    const isFull = this.#zips.length >= mostZips;
    if (!isFull && isReadableZip(entry) && entry.method === stored) {
      await this.addZip(entry, () => storedEntry(bundle, entry));
      return;
    }
    // Its role was collected, whatever can be seen of it.
    if (!isFull) this.#addRoleZip(entry);
    this.#warn("skippedRoleZip");
  }

  #addRoleZip(entry: ZipEntry): number {
    const zip = this.#zips.push({ ...placeIn(entry), path: entry.path, ...roleOf(entry.path) }) - 1;
    this.#zipOf.set(keyOf(entry), zip);
    return zip;
  }

  #noteBeside(entry: ZipEntry): void {
    const key = besideKey(entry);
    if (key !== undefined && this.#beside[key] === undefined) {
      this.#beside = { ...this.#beside, [key]: placeIn(entry) };
    }
  }

  #roleAt(entry: ZipEntry): { readonly role?: string } {
    const role = isZipName(entry.path) ? roleOf(entry.path)?.role : undefined;
    return role === undefined ? {} : { role };
  }

  #add(entry: ZipEntry, where: Pick<ListedFile, "role" | "zip">): boolean {
    this.#seen += 1;
    if (this.#seen > mostFiles) {
      this.#warn("tooManyEntries");
      return false;
    }
    if (entry.isDirectory) return true;
    if (entry.problem !== undefined) {
      this.#warn(entry.problem);
      return true;
    }
    if (entry.isEncrypted) this.#warn("encryptedEntry");
    const file: ListedFile = {
      path: entry.path,
      ...placeIn(entry),
      ...(entry.modifiedOn === undefined ? {} : { modifiedOn: entry.modifiedOn.toISOString() }),
      ...where,
      ...(entry.isEncrypted ? { isEncrypted: true } : {}),
    };
    if (!this.#list.add(file)) {
      this.#warn("tooManyEntries");
      return false;
    }
    if (where.zip !== undefined) this.#opened.add(where.zip);
    if (where.zip !== undefined || !this.#opened.has(this.#zipOf.get(keyOf(entry)))) this.#contents.add(file);
    return true;
  }

  #sawTime(time: Date | undefined): void {
    if (time === undefined) return;
    const on = time.toISOString();
    if (this.#from === undefined || on < this.#from) this.#from = on;
    if (this.#to === undefined || on > this.#to) this.#to = on;
  }

  #warn(warning: InventoryWarning, times = 1): void {
    if (times > 0) this.#warnings[warning] = (this.#warnings[warning] ?? 0) + times;
  }
}

function besideKey({ path }: ZipEntry): keyof typeof besideNames | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  return (["log", "stampInformation"] as const).find((key) => besideNames[key] === name);
}

const keyOf = ({ headerOffset, path }: ZipEntry): string => `${headerOffset}/${path}`;

const placeIn = (entry: ZipEntry): EntryPlace => ({
  headerOffset: entry.headerOffset,
  method: entry.method,
  compressedBytes: entry.compressedBytes,
  sizeBytes: entry.sizeBytes,
  crc32: entry.crc32,
});

/** Storage that fails says nothing of the archive, and is no warning. */
function warningOf(error: unknown, otherwise: InventoryWarning): InventoryWarning {
  if (!(error instanceof ArchiveError)) throw error;
  if (error instanceof GrowsTooMuch) return "roleZipTooLarge";
  if (error instanceof OutOfReach) return "skippedRoleZip";
  return error instanceof TooMuchReading ? "tooMuchReading" : otherwise;
}

/** Which bytes the entries of one zip claim. */
class Spans {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  add({ headerOffset, nameBytes, compressedBytes }: ZipEntry): void {
    this.#starts.push(headerOffset);
    this.#ends.push(headerOffset + 30 + nameBytes + compressedBytes);
  }

  overlapping(): number {
    const startOf = (entry: number): number => this.#starts[entry] ?? 0;
    const order = this.#starts.map((_start, entry) => entry).sort((a, b) => startOf(a) - startOf(b));
    let last = 0;
    let overlaps = 0;
    for (const entry of order) {
      if (startOf(entry) < last) overlaps += 1;
      last = Math.max(last, this.#ends[entry] ?? 0);
    }
    return overlaps;
  }
}
