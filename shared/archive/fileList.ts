import type { ListedFile } from "../domain/inventory.ts";

/** Listed files and bytes of their lines, at the most: what one verification holds in memory of them. */
export const mostFiles = 200_000;
export const mostLineBytes = 32 * 1024 * 1024;

/** Lines between two marks of the index. */
const linesPerMark = 512;

/** A place in the lines from which paths from `path` on are found. */
export type Mark = { readonly path: string; readonly offset: number };

export type SortedFiles = {
  /** NDJSON in the order of the paths' bytes, each path once. */
  readonly lines: Buffer;
  readonly files: number;
  readonly duplicates: number;
  readonly index: readonly Mark[];
};

/** Files as lines of one buffer: a hundred thousand objects would take ten times the memory. */
export class FileList {
  #lines = Buffer.alloc(64 * 1024);
  #length = 0;
  readonly #starts: number[] = [];

  /** False where the list is full; then the file is not in it. */
  add(file: ListedFile): boolean {
    const line = Buffer.from(`${JSON.stringify(file)}\n`);
    if (this.#starts.length >= mostFiles || this.#length + line.length > mostLineBytes) return false;
    this.#makeRoom(line.length);
    this.#starts.push(this.#length);
    line.copy(this.#lines, this.#length);
    this.#length += line.length;
    return true;
  }

  /** Sorts by path; of several files of one path the one added first stays. */
  sorted(): SortedFiles {
    const lines = this.#lines;
    const ends = this.#starts.map((start) => pathEnd(lines, start));
    const order = this.#starts.map((_start, line) => line);
    const compare = (a: number, b: number) =>
      lines.compare(lines, this.#starts[b], ends[b], this.#starts[a], ends[a]) || a - b;
    order.sort(compare);
    const sorted = Buffer.alloc(this.#length);
    const index: Mark[] = [];
    let length = 0;
    let files = 0;
    let before: number | undefined;
    for (const line of order) {
      const isDuplicate = before !== undefined && this.#samePath(before, line, ends);
      before = line;
      if (isDuplicate) continue;
      const start = this.#starts[line] ?? 0;
      if (files % linesPerMark === 0) index.push({ path: pathOf(lines, start, ends[line] ?? start), offset: length });
      length += lines.copy(sorted, length, start, this.#starts[line + 1] ?? this.#length);
      files += 1;
    }
    return { lines: sorted.subarray(0, length), files, duplicates: order.length - files, index };
  }

  #samePath(a: number, b: number, ends: readonly number[]): boolean {
    return this.#lines.compare(this.#lines, this.#starts[a], ends[a], this.#starts[b], ends[b]) === 0;
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#lines.length) return;
    const larger = Buffer.alloc(Math.min(mostLineBytes, this.#lines.length * 2));
    this.#lines.copy(larger, 0, 0, this.#length);
    this.#lines = larger;
  }
}

const beforePath = '{"path":"';
const afterPath = '","headerOffset":';

/** Each line begins with its path, so that lines compare as their paths do. */
const pathEnd = (lines: Buffer, start: number): number => lines.indexOf(afterPath, start);

const pathOf = (lines: Buffer, start: number, end: number): string =>
  String(JSON.parse(`"${lines.toString("utf8", start + beforePath.length, end)}"`));
