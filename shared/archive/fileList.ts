import type { ListedFile } from "../domain/inventory.ts";

/** Entries that are looked at and bytes of their lines, at the most: what one verification holds in memory of them. */
export const mostFiles = 200_000;
export const mostLineBytes = 24 * 1024 * 1024;

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

const blockBytes = 1024 * 1024;

/** Files as lines in blocks of bytes: a hundred thousand objects would take ten times the memory, and one growing buffer twice. */
export class FileList {
  readonly #blocks: Buffer[] = [];
  /** Of each line, its first byte and the end of its path, counted over all blocks. */
  readonly #starts: number[] = [];
  readonly #pathEnds: number[] = [];
  /** Bytes of the last block that are taken, and of all lines. */
  #taken = blockBytes;
  #length = 0;

  /** False where the list is full; then the file is not in it. */
  add(file: ListedFile): boolean {
    const line = Buffer.from(`${JSON.stringify(file)}\n`);
    const isFull = this.#starts.length >= mostFiles || this.#length + line.length > mostLineBytes;
    if (isFull || line.length > blockBytes) return false;
    if (this.#taken + line.length > blockBytes) {
      this.#blocks.push(Buffer.alloc(blockBytes));
      this.#taken = 0;
    }
    const start = (this.#blocks.length - 1) * blockBytes + this.#taken;
    this.#starts.push(start);
    this.#pathEnds.push(start + pathEnd(line, 0));
    this.#taken += line.copy(this.#blockOf(start), this.#taken);
    this.#length += line.length;
    return true;
  }

  /** Sorts by path; of several files of one path the one added first stays. */
  sorted(): SortedFiles {
    const order = this.#starts.map((_start, line) => line).sort((a, b) => this.#compare(a, b) || a - b);
    const lines = Buffer.alloc(this.#length);
    const index: Mark[] = [];
    let length = 0;
    let files = 0;
    let before: number | undefined;
    for (const line of order) {
      const isDuplicate = before !== undefined && this.#compare(before, line) === 0;
      before = line;
      if (isDuplicate) continue;
      const [block, start, end] = this.#pathAt(line);
      if (files % linesPerMark === 0) index.push({ path: pathOf(block, start, end), offset: length });
      length += block.copy(lines, length, start, block.indexOf(newline, end) + 1);
      files += 1;
    }
    return { lines: lines.subarray(0, length), files, duplicates: order.length - files, index };
  }

  #compare(a: number, b: number): number {
    const [blockA, startA, endA] = this.#pathAt(a);
    const [blockB, startB, endB] = this.#pathAt(b);
    return blockA.compare(blockB, startB, endB, startA, endA);
  }

  /** A line's block, and where in it the line begins and its path ends. */
  #pathAt(line: number): readonly [block: Buffer, start: number, end: number] {
    const start = this.#starts[line] ?? 0;
    const end = this.#pathEnds[line] ?? start;
    return [this.#blockOf(start), start % blockBytes, (start % blockBytes) + end - start];
  }

  #blockOf(start: number): Buffer {
    const block = this.#blocks[Math.floor(start / blockBytes)];
    if (block === undefined) throw new RangeError("Every line is in a block");
    return block;
  }
}

const newline = "\n".charCodeAt(0);
const beforePath = '{"path":"';
const afterPath = '","headerOffset":';

/** Each line begins with its path, so that lines compare as their paths do. */
const pathEnd = (lines: Buffer, start: number): number => lines.indexOf(afterPath, start);

const pathOf = (lines: Buffer, start: number, end: number): string =>
  String(JSON.parse(`"${lines.toString("utf8", start + beforePath.length, end)}"`));
