import * as z from "zod";
import { completeness } from "../api/bundles.ts";

/** What a bundle holds, as its zip's directories tell: kept beside the bundle in its day container, and gone with it. */

/** What was found on the way, counted; the listing goes on without it. */
export const inventoryWarning = z.enum([
  "unsafePath",
  "invalidName",
  "symbolicLink",
  "impossibleSize",
  "duplicatePath",
  "overlappingEntries",
  "encryptedEntry",
  "damagedDirectory",
  "damagedRoleZip",
  "roleZipTooLarge",
  "skippedRoleZip",
  "tooManyEntries",
  "tooMuchReading",
]);
export type InventoryWarning = z.infer<typeof inventoryWarning>;

/** In words, for whoever reads the listing. */
export const warningWords: Readonly<Record<InventoryWarning, string>> = {
  unsafePath: "Entries whose paths lead out of the folder that they are unpacked in are not listed.",
  invalidName: "Entries whose names are no valid text are not listed.",
  symbolicLink: "Symbolic links are not listed.",
  impossibleSize: "Entries that say to be larger than any file can be are not listed.",
  duplicatePath: "Of entries of the same path only the first is listed.",
  overlappingEntries: "Entries share the same bytes of the file, as in a zip that is made to grow without end.",
  encryptedEntry: "Encrypted entries are listed and cannot be read one by one.",
  damagedDirectory: "The zip's directory is damaged; the list ends where it could not be read.",
  damagedRoleZip: "Zips inside could not be read; they are listed as one file each.",
  roleZipTooLarge: "Zips inside unpack to more than they say or may; they are listed as one file each.",
  skippedRoleZip: "Some zips inside were not looked into; they are listed as one file each.",
  tooManyEntries: "There are more entries than are listed.",
  tooMuchReading: "The zip's directories point at the same bytes again and again; the list is not whole.",
};

/** Where an entry's bytes are, in its own zip. */
export const entryPlace = z.object({
  headerOffset: z.int(),
  method: z.int(),
  compressedBytes: z.int(),
  sizeBytes: z.int(),
  crc32: z.int(),
});
export type EntryPlace = z.infer<typeof entryPlace>;

/** One file of a bundle; `zip` is the role zip it is in, by its place in the inventory's list, and absent for the bundle's own entries. */
export const listedFile = z.object({
  path: z.string(),
  ...entryPlace.shape,
  modifiedOn: z.string().optional(),
  role: z.string().optional(),
  zip: z.int().optional(),
  isEncrypted: z.literal(true).optional(),
});
export type ListedFile = z.infer<typeof listedFile>;

/** A zip inside the bundle that holds one role's logs, or a part of them. */
export const roleZip = z.object({
  path: z.string(),
  ...entryPlace.shape,
  role: z.string().optional(),
  part: z.int().optional(),
});
export type RoleZip = z.infer<typeof roleZip>;

/** Such as `Storage-part2-20180505055532.zip` (`DOMAIN.md`, Shapes and sizes). */
export function roleOf(path: string): { readonly role: string; readonly part?: number } | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const match = /^(?<role>[A-Za-z][A-Za-z0-9]*)(?:-part(?<part>\d{1,4}))?-\d{8,14}\.zip$/i.exec(name);
  const { role, part } = match?.groups ?? {};
  if (role === undefined) return undefined;
  return { role, ...(part === undefined ? {} : { part: Number(part) }) };
}

export const isZipName = (path: string): boolean => path.toLowerCase().endsWith(".zip");

/** What is kept of an inventory beside its lines. All of it comes from the bundle's content, so it lies in the day container. */
export const inventoryRecord = z.object({
  /** Since 2 the messages of `completeness` hold no content, and its `roles` are counted. */
  version: z.union([z.literal(1), z.literal(2)]),
  /** The version of the copy that it is of. */
  etag: z.string(),
  sizeBytes: z.int(),
  /** Makes digests of paths that tell nobody the path (invariant 9). */
  salt: z.string(),
  files: z.int(),
  lineBytes: z.int(),
  index: z.array(z.object({ path: z.string(), offset: z.int() })),
  zips: z.array(roleZip),
  warnings: z.partialRecord(inventoryWarning, z.int()),
  completeness,
});
export type InventoryRecord = z.infer<typeof inventoryRecord>;
