import { readFile, rename, writeFile } from "node:fs/promises";

/** Small files of our own: written whole or not at all, and read as untrusted JSON. */

/** Writes `value` so that a kill leaves the old file or the new one. Only the owner may read it, unless `mode` says otherwise. */
export async function writeJson(path: string, value: unknown, mode = 0o600): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, `${JSON.stringify(value, undefined, 2)}\n`, { mode, flush: true });
  await rename(draft, path);
}

/** What the file holds: `undefined` where there is none, and its bare text where that is no JSON, for the schema to refuse. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return jsonOrText(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
