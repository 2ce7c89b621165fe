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
import { FileList, type SortedFiles } from "./fileList.ts";
import { GrowsTooMuch, InflatingTail } from "./inflating.ts";
import { ArchiveError, endOfFile, type Source, TooMuchReading, withBudget } from "./source.ts";

/** What a bundle holds. */
export type Inventory = SortedFiles & {
  readonly zips: readonly RoleZip[];
  readonly warnings: Readonly<Partial<Record<InventoryWarning, number>>>;
  /** Times of the files in role zips, where they have any. */
  readonly from?: string;
  readonly to?: string;
  /** What a collection writes about itself beside the role zips. */
  readonly beside: Beside;
};

/** `DOMAIN.md`, Shapes and sizes. */
export type Beside = { readonly log?: EntryPlace; readonly stampInformation?: EntryPlace };

const besideNames = {
  log: "get-azurestacklog_output.log",
  stampInformation: "azurestackstampinformation.json",
} as const;

/** The end of the bundle that was read to find its entries, so that nobody need read it again. */
export type KeptEnd = { readonly start: number; readonly bytes: Buffer };

/**
 * Takes the inventory of a bundle beside its verification: before the pass over its bytes its directory is read, in the pass the deflated zips in it
 * are looked into as they go by, after it the stored ones by range. Memory is bounded whatever the zip says.
 */
export type InventoryTaking = {
  readonly kept: KeptEnd | undefined;
  /** Takes the bundle's bytes from `position` on, in order; what it was given is its own no more once it resolves. */
  readonly take: (position: number, chunk: Buffer) => Promise<void>;
  readonly finish: () => Promise<Inventory>;
};

/** A directory up to this size is read before the pass; a longer one is no stamp's, and its zips are not looked into. */
const mostKeptBytes = 16 * 1024 * 1024;

/** Zips inside that are looked into. */
const mostZips = 2_000;

/** Throws `ArchiveError` where the file is no zip. */
export async function openInventory(bundle: Source): Promise<InventoryTaking> {
  const directory = await locateDirectory(bundle);
  const kept = await keepEnd(bundle, directory);
  const outer = kept === undefined ? bundle : endOfFile(kept.bytes, bundle.sizeBytes);
  const listing = new Listing();
  const taps = kept === undefined ? [] : await deflatedZips(outer, directory);
  let tap: { readonly zip: ZipEntry; readonly tail: InflatingTail } | undefined;

  const endTap = async (): Promise<void> => {
    if (tap === undefined) return;
    const { zip, tail } = tap;
    tap = undefined;
    await listing.addZip(zip, () => tail.end());
  };

  return {
    kept,
    take: async (position, chunk) => {
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
      await listing.addBundle(withBudget(bundle, bundle.sizeBytes), outer, directory);
      return listing.done();
    },
  };
}

async function keepEnd(bundle: Source, { offset, sizeBytes, records }: FoundDirectory): Promise<KeptEnd | undefined> {
  if (sizeBytes > mostKeptBytes) return undefined;
  return { start: offset, bytes: Buffer.concat([await bundle.read(offset, sizeBytes), records]) };
}

/** In the order of their bytes, and none that overlaps the one before it: one at a time is in memory. */
async function deflatedZips(outer: Source, directory: FoundDirectory): Promise<ZipEntry[]> {
  const zips: ZipEntry[] = [];
  for await (const entry of readable(entriesIn(outer, directory))) {
    if (isInnerZip(entry) && entry.method === deflated && zips.length < mostZips) zips.push(entry);
  }
  zips.sort((a, b) => a.headerOffset - b.headerOffset);
  let last = 0;
  return zips.filter((zip) => {
    if (zip.headerOffset < last) return false;
    last = zip.headerOffset + 30 + zip.nameBytes + zip.compressedBytes;
    return true;
  });
}

/** The entries up to where the directory is damaged. */
async function* readable(entries: AsyncIterable<ZipEntry>): AsyncGenerator<ZipEntry> {
  try {
    yield* entries;
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
  }
}

const isInnerZip = (entry: ZipEntry): boolean =>
  entry.problem === undefined && !entry.isEncrypted && !entry.isDirectory && isZipName(entry.path);

/** The listing as it grows, and what was found wrong on the way. */
class Listing {
  readonly #list = new FileList();
  readonly #zips: RoleZip[] = [];
  readonly #looked = new Set<number>();
  readonly #warnings: Partial<Record<InventoryWarning, number>> = {};
  #from: string | undefined;
  #to: string | undefined;
  #beside: Beside = {};

  /** The bundle's own entries, and what is in its stored zips. */
  async addBundle(bundle: Source, outer: Source, directory: FoundDirectory): Promise<void> {
    const spans = new Spans();
    try {
      for await (const entry of entriesIn(outer, directory)) {
        spans.add(entry);
        if (isInnerZip(entry) && !this.#looked.has(entry.headerOffset) && !(await this.#lookInto(bundle, entry))) {
          this.#warn("skippedRoleZip");
        }
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
    this.#looked.add(entry.headerOffset);
    const spans = new Spans();
    try {
      const source = await open();
      const zip = this.#zips.push({ ...placeIn(entry), path: entry.path, ...roleOf(entry.path) }) - 1;
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
      ...(this.#from === undefined ? {} : { from: this.#from }),
      ...(this.#to === undefined ? {} : { to: this.#to }),
    };
  }

  async #lookInto(bundle: Source, entry: ZipEntry): Promise<boolean> {
    if (entry.method !== stored || this.#zips.length >= mostZips) return false;
    await this.addZip(entry, () => storedEntry(bundle, entry));
    return true;
  }

  #noteBeside(entry: ZipEntry): void {
    const name = entry.path.slice(entry.path.lastIndexOf("/") + 1).toLowerCase();
    for (const key of ["log", "stampInformation"] as const) {
      if (name === besideNames[key] && this.#beside[key] === undefined) {
        this.#beside = { ...this.#beside, [key]: placeIn(entry) };
      }
    }
  }

  #roleAt(entry: ZipEntry): { readonly role?: string } {
    const role = isZipName(entry.path) ? roleOf(entry.path)?.role : undefined;
    return role === undefined ? {} : { role };
  }

  #add(entry: ZipEntry, where: Pick<ListedFile, "role" | "zip">): boolean {
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
    if (this.#list.add(file)) return true;
    this.#warn("tooManyEntries");
    return false;
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

const placeIn = (entry: ZipEntry): EntryPlace => ({
  headerOffset: entry.headerOffset,
  nameBytes: entry.nameBytes,
  method: entry.method,
  compressedBytes: entry.compressedBytes,
  sizeBytes: entry.sizeBytes,
  crc32: entry.crc32,
});

/** Storage that fails says nothing of the archive, and is no warning. */
function warningOf(error: unknown, otherwise: InventoryWarning): InventoryWarning {
  if (!(error instanceof ArchiveError)) throw error;
  if (error instanceof GrowsTooMuch) return "roleZipTooLarge";
  return error instanceof TooMuchReading ? "tooMuchReading" : otherwise;
}

/** Which bytes the entries of one zip claim. */
class Spans {
  readonly #spans: [start: number, end: number][] = [];

  add({ headerOffset, nameBytes, compressedBytes }: EntryPlace): void {
    this.#spans.push([headerOffset, headerOffset + 30 + nameBytes + compressedBytes]);
  }

  overlapping(): number {
    this.#spans.sort(([a], [b]) => a - b);
    let last = 0;
    let overlaps = 0;
    for (const [start, end] of this.#spans) {
      if (start < last) overlaps += 1;
      last = Math.max(last, end);
    }
    return overlaps;
  }
}
