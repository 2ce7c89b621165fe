import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import type { BundleManifest } from "../shared/api/manifest.ts";
import { readJson, writeJson } from "./files.ts";
import { readManifest } from "./manifest.ts";

/** A folder of saved bundles: `<name>.zip`, its manifest beside it, and a note once the service has accepted it. Other files are not ours. */

const manifestSuffix = ".manifest";
const sentSuffix = ".sent.json";

const sentNote = z.object({
  schema: z.literal(1),
  bundleId: z.guid(),
  sha256: z.string(),
  origin: z.string(),
  acceptedOn: z.string(),
  deleteBy: z.string(),
  carriedBy: z.string(),
});
export type SentNote = z.infer<typeof sentNote>;

export type SavedBundle = {
  /** The file's name in the folder. */
  readonly name: string;
  readonly path: string;
  /** The manifest as it was signed. */
  readonly jws: string;
  readonly manifest: BundleManifest;
  /** The service's acceptance, where it is known here. */
  readonly sent: SentNote | undefined;
};

/** A manifest's file that holds none. */
export type Unreadable = { readonly name: string };

export type Folder = { readonly bundles: readonly SavedBundle[]; readonly unreadable: readonly Unreadable[] };

/** What is saved there, oldest first. Throws what the file system says. */
export async function readFolder(folder: string): Promise<Folder> {
  const names = (await readdir(folder))
    .filter((name) => name.endsWith(manifestSuffix))
    .map((name) => name.slice(0, -manifestSuffix.length));
  const found = await Promise.all(names.map(async (name) => ({ name, saved: await readSaved(folder, name) })));
  return {
    bundles: found
      .flatMap(({ saved }) => saved ?? [])
      .sort((one, other) => Date.parse(one.manifest.savedOn) - Date.parse(other.manifest.savedOn)),
    unreadable: found.flatMap(({ name, saved }) => (saved === undefined ? [{ name }] : [])),
  };
}

/** The bundle of that name; `undefined` where its manifest is not there or cannot be read. */
export async function readSaved(folder: string, name: string): Promise<SavedBundle | undefined> {
  const path = join(folder, name);
  const jws = await textOf(manifestPath(path));
  const manifest = jws === undefined ? undefined : readManifest(jws);
  if (jws === undefined || manifest === undefined) return undefined;
  const note = sentNote.safeParse(await readJson(path + sentSuffix)).data;
  const isItsOwn = note?.bundleId === manifest.bundleId && note.sha256 === manifest.sha256;
  return { name, path, jws, manifest, sent: isItsOwn ? note : undefined };
}

export const manifestPath = (path: string): string => path + manifestSuffix;

/** Notes that the service has accepted it: only then may it be pruned, and by somebody else than who carried it. */
export const markSent = ({ path }: SavedBundle, note: SentNote): Promise<void> =>
  writeJson(path + sentSuffix, note, 0o644);

/** Deletes the bundle and what is ours beside it. The file goes first: without its manifest nobody would know it for a bundle. */
export async function removeSaved({ path }: SavedBundle): Promise<void> {
  for (const each of [path, manifestPath(path), path + sentSuffix]) await rm(each, { force: true });
}

/** Bytes on the share: the file's, its manifest's; 0 where the file is gone. */
export async function savedSize({ path }: SavedBundle): Promise<number> {
  const sizes = await Promise.all([path, manifestPath(path)].map(sizeOf));
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

/** A file's size in bytes; `undefined` where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  return (await absent(stat(path)))?.size;
}

/** The lower-case hex SHA-256 of a file. */
export async function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest("hex");
}

const textOf = async (path: string): Promise<string | undefined> => (await absent(readFile(path, "utf8")))?.trim();

/** `undefined` where there is no such file. */
async function absent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
