import type { Readable } from "node:stream";
import { contentInsideDeflated, entryContent, storedEntry } from "../../archive/content.ts";
import { deflated } from "../../archive/entry.ts";
import { ArchiveError, type Source } from "../../archive/source.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import type { InventoryRecord, ListedFile } from "../../domain/inventory.ts";
import { isPurgeDue } from "../../domain/purge.ts";
import { DomainError } from "../../errors.ts";
import { findFile } from "../bundles/findFile.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import type { LentFile, World } from "../needs.ts";

const noSuchFile = () =>
  new DomainError(
    "NotFound",
    "The bundle has no such file. List its files (GET …/files) and use a path as it stands there.",
  );

/** The file in the bundle's inventory. Throws `NotFound` where it is not listed, `UnreadableFile` where it is encrypted, or a zip bomb. */
export const requireFile = async (
  world: Pick<World, "contents" | "rules">,
  bundle: BundleRecord,
  path: string,
): Promise<FoundFile> => requireReadable(world, await findInBundle(world, bundle, path));

/** The file as the bundle's inventory lists it; undefined where it does not. */
export async function findInBundle(
  world: Pick<World, "contents">,
  bundle: BundleRecord,
  path: string,
): Promise<FoundFile | undefined> {
  const inventory = await world.contents.inventory(placeOf(bundle));
  const file = inventory && (await findFile(world, placeOf(bundle), inventory, path));
  return inventory === undefined || file === undefined ? undefined : { inventory, file };
}

export function requireReadable({ rules }: Pick<World, "rules">, found: FoundFile | undefined): FoundFile {
  if (found === undefined) throw noSuchFile();
  if (found.file.isEncrypted) throw unreadable("it is encrypted");
  if (found.file.sizeBytes > rules.maxBundleBytes) throw unreadable("it unpacks to more than a bundle may hold");
  return found;
}

const unreadable = (why: string, cause?: unknown) =>
  new DomainError(
    "UnreadableFile",
    `The file cannot be taken out of the bundle: ${why}. Read the whole bundle instead.`,
    {
      cause,
    },
  );

const zipOf = (inventory: InventoryRecord, { zip }: ListedFile) =>
  zip === undefined ? undefined : inventory.zips[zip];

/** A file of a deflated zip is found by inflating all that is before it. */
export function bytesToRead({ inventory, file }: FoundFile): number {
  const zip = zipOf(inventory, file);
  return zip?.method === deflated ? zip.compressedBytes : Math.max(file.compressedBytes, file.sizeBytes);
}

/** A file as the bundle's inventory lists it. */
export type FoundFile = { readonly inventory: InventoryRecord; readonly file: ListedFile };

/** Writes the file to the day's lent container, where it is there only once it was whole. Throws `UnreadableFile` where it is damaged. */
export async function writeOut(world: Pick<World, "contents">, lent: LentFile, found: FoundFile): Promise<void> {
  try {
    const bundle = world.contents.open(lent.place, found.inventory);
    await world.contents.lend(lent, await contentOf(bundle, found));
  } catch (error) {
    if (error instanceof ArchiveError) throw unreadable(error.message, error);
    throw error;
  }
}

/**
 * Does what writes something of a bundle's content down. A deletion that began meanwhile may have looked for it before it was there: then nothing
 * of it is left (`PurgeDue`).
 */
export async function whileThere<T>(world: World, lent: LentFile, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } finally {
    await requireStillThere(world, lent);
  }
}

async function contentOf(bundle: Source, { inventory, file }: FoundFile): Promise<Readable> {
  const zip = zipOf(inventory, file);
  if (zip === undefined) return await entryContent(bundle, file);
  if (zip.method === deflated) return await contentInsideDeflated(bundle, zip, file);
  return await entryContent(await storedEntry(bundle, zip), file);
}

/** Throws `PurgeDue`, and takes back what was taken out, unless the bundle may still be lent. */
async function requireStillThere({ stamps, clock, contents, days }: World, lent: LentFile): Promise<void> {
  const { stampId, bundleId } = lent.place;
  const bundle = await stamps.bundle(stampId, bundleId);
  if (bundle?.state === "accepted" && !isPurgeDue(bundle, clock.now())) return;
  await contents.deleteLentOf(lent.place);
  // An intended deletion may have passed by already; carrying it out once more is safe.
  if (bundle?.purge !== undefined) await days.deleteBundle(lent.place);
  throw new DomainError("PurgeDue", "The bundle is due for deletion or already deleted, and is lent no more.");
}
