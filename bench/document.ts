import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The page that keeps the numbers of the last full run, between two markers. */

const path = join(import.meta.dirname, "..", "docs", "performance.md");
const begin = "<!-- bench: begin -->";
const end = "<!-- bench: end -->";

/** Replaces what stands between the markers. Throws where the page has none. */
export async function writeIntoDocument(text: string): Promise<void> {
  const page = await readFile(path, "utf8");
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no place between ${begin} and ${end}`);
  await writeFile(path, `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`);
}
