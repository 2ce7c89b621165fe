import { isUtf8 } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { type Complain, placeOf } from "./problem.ts";

/** The lines of a file, as they stand in it. A command line keeps nobody waiting, so it reads without the cost of waiting: a read each, and one buffer. */

export type Line = { readonly bytes: Buffer; readonly number: number };

const newline = 0x0a;
/** An event is a row of a table: far less. */
const longest = 1024 * 1024;
const bytesPerRead = 256 * 1024;

/** Complains of a file that cannot be read and of a torn last line, and goes on with what there is. A line's bytes are gone with the next one. */
export function* lines(path: string, complain: Complain): Generator<Line> {
  const file = basename(path);
  const buffer = Buffer.allocUnsafe(longest + 1);
  let descriptor: number | undefined;
  let [held, number] = [0, 0];
  try {
    descriptor = openSync(path, "r");
    for (;;) {
      const read = readSync(descriptor, buffer, held, Math.min(bytesPerRead, buffer.length - held), null);
      if (read === 0) break;
      held += read;
      const bytes = buffer.subarray(0, held);
      let from = 0;
      for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, from)) {
        number += 1;
        yield { bytes: bytes.subarray(from, end), number };
        from = end + 1;
      }
      bytes.copyWithin(0, from);
      held -= from;
      if (held === buffer.length) {
        const message = `is longer than ${longest} bytes, which no line of an export is; nothing after it was read`;
        complain({ code: "LineTooLong", place: placeOf(file, number + 1), message });
        return;
      }
    }
  } catch (error) {
    complain(unreadable(file, error));
    return;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
  if (held > 0) {
    const message = "has no end: the file was cut within this line, which was not read";
    complain({ code: "TornLine", place: placeOf(file, number + 1), message });
  }
}

/** Undefined, with the complaint made, where the line is no text. */
export function textOf({ bytes, number }: Line, file: string, complain: Complain): string | undefined {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  complain({ code: "NotUtf8", place: placeOf(file, number), message: "holds bytes that are no UTF-8 text" });
  return undefined;
}

/** Those that are text. */
export function* texts(path: string, complain: Complain): Generator<{ text: string; number: number }> {
  for (const line of lines(path, complain)) {
    const text = textOf(line, basename(path), complain);
    if (text !== undefined) yield { text, number: line.number };
  }
}

export function unreadable(file: string, error: unknown) {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR"
    ? { code: "MissingFile", place: file, message: "is not there" }
    : { code: "UnreadableFile", place: file, message: `cannot be read (${String(code ?? error)})` };
}
