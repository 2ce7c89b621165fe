import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import type { z } from "zod";

/** Files of `LOCAL_DIR`: JSON, whole or not there, readable by their owner only. */

const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Whether `error` is a failed system call with one of these codes, such as `ENOENT`. */
export const isSystemError = (error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException =>
  error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);

/** Replaces `path` by `value` in one step: a reader sees the old content or the new. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text(value), { mode: 0o600 });
  await rename(draft, path);
}

/** Writes `path` if it is not there yet; `false` where it is. Of several who try at once one succeeds. */
export async function createJson(path: string, value: unknown): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text(value), { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** The parsed content; `undefined` where there is no such file or it is not of the schema. */
export async function readJson<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T> | undefined> {
  try {
    return schema.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** The content of `path`, which is made by `make` where it is not there. Throws an `Error` for a file of another shape. */
export async function readOrCreateJson<T extends z.ZodType>(
  path: string,
  schema: T,
  make: () => Promise<z.input<T>>,
): Promise<z.output<T>> {
  const known = await readJson(path, schema);
  if (known !== undefined) return known;
  await createJson(path, await make());
  const created = await readJson(path, schema);
  if (created === undefined) throw new Error(`${path} is not what it should be: move it away and start again.`);
  return created;
}
