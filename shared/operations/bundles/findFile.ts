import { type InventoryRecord, type ListedFile, listedFile } from "../../domain/inventory.ts";
import type { Contents, Place } from "../needs.ts";

/** Finds files in an inventory's lines, which stand in the order of their paths' bytes. */

type Needs = { readonly contents: Pick<Contents, "inventoryLines"> };

/** A line with the byte offset of the one after it. */
export type FileLine = { readonly file: ListedFile; readonly next: number };

const newline = 0x0a;

/** The sign of an offset that is none of ours. */
export class NoLine extends Error {}

function parseLine(line: string): ListedFile {
  try {
    return listedFile.parse(JSON.parse(line));
  } catch (cause) {
    throw new NoLine("No line of an inventory begins there", { cause });
  }
}

/** Lines from a byte offset on, read `pageBytes` at a time. Throws `NoLine` where no line begins there. */
export async function* linesFrom(
  { contents }: Needs,
  place: Place,
  offset: number,
  pageBytes: number,
): AsyncGenerator<FileLine> {
  let rest = Buffer.alloc(0);
  for (let at = offset; ; ) {
    const read = (await contents.inventoryLines(place, at + rest.length, pageBytes)) ?? Buffer.alloc(0);
    const bytes = Buffer.concat([rest, read]);
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      const file = parseLine(bytes.toString("utf8", start, end));
      start = end + 1;
      yield { file, next: at + start };
    }
    if (read.length < pageBytes) return;
    at += start;
    rest = bytes.subarray(start);
  }
}

/** As a line holds it: the order of the lines is the order of these bytes. */
const sortKey = (path: string): Buffer => Buffer.from(JSON.stringify(path).slice(1, -1));

const comparePaths = (a: string, b: string): number => sortKey(a).compare(sortKey(b));

/** The offset of a line at or before the first path that is not less than `path`. */
export function offsetBefore({ index }: Pick<InventoryRecord, "index">, path: string): number {
  return index.findLast((mark) => comparePaths(mark.path, path) <= 0)?.offset ?? 0;
}

/** Reads the lines between two marks, and nothing else. */
export async function findFile(
  { contents }: Needs,
  place: Place,
  { index, lineBytes }: Pick<InventoryRecord, "index" | "lineBytes">,
  path: string,
): Promise<ListedFile | undefined> {
  const start = offsetBefore({ index }, path);
  const end = index.find(({ offset }) => offset > start)?.offset ?? lineBytes;
  const lines = end > start ? await contents.inventoryLines(place, start, end - start) : undefined;
  for (const line of lines?.toString().split("\n") ?? []) {
    // Parsing all of them would take longer than reading them.
    const file = line.startsWith(`{"path":${JSON.stringify(path)},`) ? parseLine(line) : undefined;
    if (file !== undefined) return file;
  }
  return undefined;
}

/** Whether a path comes after all that begin with the prefix. */
export const isPast = (path: string, prefix: string): boolean =>
  !path.startsWith(prefix) && comparePaths(path, prefix) > 0;
