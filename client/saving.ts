import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, realpath, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { z } from "zod";
import type { bundleManifest } from "../shared/api/manifest.ts";
import { UsageError } from "./failure.ts";
import { signManifest } from "./manifest.ts";
import { manifestPath, readSaved, type SavedBundle, sha256Of, sizeOf } from "./saved.ts";
import type { SigningKey } from "./signing.ts";

/**
 * Saves a bundle on a share, with a manifest that the stamp signs. Both are written whole under other names and flushed before either gets its
 * own, the manifest last: whatever happens, a manifest stands beside the very file that it is of, or there is none.
 */

type Claims = z.input<typeof bundleManifest>;

/** What is said of a bundle; the rest comes from the file, the moment and the stamp. */
export type SavedDescription = Pick<
  Claims,
  "consent" | "caseNumber" | "logsFrom" | "logsTo" | "collectedOn" | "stampVersion" | "roles"
>;

export type Saving = {
  readonly stampId: string;
  readonly key: SigningKey;
  readonly now: () => Date;
  readonly signal?: AbortSignal | undefined;
};

/** The share is full: nothing of the bundle was left there. */
export class DiskFullError extends Error {
  constructor(folder: string, cause: unknown) {
    super(
      `There is no room for it in ${folder}. Nothing of it was left there, and the file itself is where it was. Make room (npm run stamp -- prune ${folder} --max-age 30d), then save it again.`,
      { cause },
    );
    this.name = "DiskFullError";
  }
}

/** Ends of the names of what a save has not finished. */
export const savingSuffix = ".saving";

/**
 * Saves the file at `path` into the folder, or signs it where it is there already. The same file saved before: what was saved then.
 * Throws `DiskFullError`, `UsageError` for what cannot be saved so, or what the file system says.
 */
export async function saveBundle(
  path: string,
  folder: string,
  description: SavedDescription,
  saving: Saving,
): Promise<SavedBundle> {
  const name = basename(path);
  const target = join(folder, name);
  await requireZip(path);
  const staged = [stagedName(folder, name), stagedName(folder, name)] as const;
  const [stagedFile, stagedManifest] = staged;
  try {
    const isThere = (await sizeOf(target)) !== undefined;
    const content = isThere ? await requireSame(path, target, saving) : await copy(path, stagedFile, saving);
    const standing = await standingManifest(folder, name, content.sha256);
    if (standing !== undefined && isThere) return standing;

    const claims = { ...description, ...content, ...identity(saving), fileName: name, contentType: "application/zip" };
    const jws = await signManifest(claims, saving.key);
    await write(stagedManifest, async (file) => void (await file.writeFile(`${jws}\n`)));
    if (!isThere) await rename(stagedFile, target);
    await rename(stagedManifest, manifestPath(target));
    await flushFolder(folder);
  } catch (error) {
    throw isDiskFull(error) ? new DiskFullError(folder, error) : error;
  } finally {
    for (const each of staged) await rm(each, { force: true });
  }
  const saved = await readSaved(folder, name);
  if (saved === undefined)
    throw new Error(`${manifestPath(target)} is gone again: something else writes in ${folder}.`);
  return saved;
}

const identity = ({ stampId, now }: Saving) => ({
  stampId,
  bundleId: randomUUID(),
  savedOn: now().toISOString(),
});

const stagedName = (folder: string, name: string) => join(folder, `.${name}.${randomUUID()}${savingSuffix}`);

/** What is carried for days and then refused for being none would be a pity. */
async function requireZip(path: string): Promise<void> {
  await using file = await open(path, "r");
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  if (bytesRead < 2 || buffer.toString("latin1") !== "PK") {
    throw new UsageError(`${path} is no zip, and would be rejected once it is there. Collect again.`);
  }
}

type Content = { readonly sha256: string; readonly sizeBytes: number };

async function requireSame(path: string, target: string, { signal }: Saving): Promise<Content> {
  const sha256 = await sha256Of(path, signal);
  const isSame = (await realpath(path)) === (await realpath(target)) || (await sha256Of(target, signal)) === sha256;
  if (!isSame) {
    throw new UsageError(`${target} is there already, and is another file. Save under another name, or elsewhere.`);
  }
  return { sha256, sizeBytes: (await sizeOf(target)) ?? 0 };
}

/** The manifest of the same file from an earlier save; one of another file is not to be replaced. */
async function standingManifest(folder: string, name: string, sha256: string): Promise<SavedBundle | undefined> {
  if ((await sizeOf(manifestPath(join(folder, name)))) === undefined) return undefined;
  const standing = await readSaved(folder, name);
  if (standing?.manifest.sha256 === sha256) return standing;
  throw new UsageError(
    `${manifestPath(join(folder, name))} is there already, and is not of this file. Save under another name, or elsewhere.`,
  );
}

/** Copies and hashes in one reading, so that what is signed is what was written. */
async function copy(from: string, to: string, { signal }: Saving): Promise<Content> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  await write(to, async (file) => {
    for await (const chunk of createReadStream(from, { highWaterMark: 1024 * 1024, signal })) {
      hash.update(chunk);
      await writeAll(file, chunk);
      sizeBytes += chunk.length;
    }
  });
  return { sha256: hash.digest("hex"), sizeBytes };
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    written += (await file.write(chunk, written)).bytesWritten;
  }
}

/** A new file that is on the disk when this returns. */
async function write(path: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
  await using file = await open(path, "wx");
  await work(file);
  await file.sync();
}

/** The names too: a share that loses power keeps them. Not every file system lets a folder be flushed. */
async function flushFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, "r");
    await handle.sync();
  } catch (error) {
    if (isDiskFull(error)) throw error;
  }
}

/** No space, over a quota, or over the largest file that may be written. */
const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && "code" in error && ["ENOSPC", "EDQUOT", "EFBIG"].includes(String(error.code));
