import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The page that keeps the numbers of each part's last full run, each between two markers. */

const path = join(import.meta.dirname, "..", "docs", "performance.md");

/** Replaces what stands between the part's markers. Throws where the page has none. */
export async function writeIntoDocument(part: string, text: string): Promise<void> {
  const [begin, end] = [`<!-- bench ${part}: begin -->`, `<!-- bench ${part}: end -->`];
  const page = await readFile(path, "utf8");
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no place between ${begin} and ${end}`);
  await writeFile(path, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`);
}
