import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { type Complain, placeOf } from "./problem.ts";

/** The lines of a file, as they stand in it: read in batches, because a step of an async generator for each would cost more than its hash. */

export type Line = { readonly text: string; readonly number: number };

const newline = 0x0a;
/** An event is a row of a table: far less. */
const longest = 1024 * 1024;

/** Complains of a file that cannot be read, of a torn last line and of bytes that are no text, and goes on with what there is. */
export async function* lineBatches(path: string, complain: Complain): AsyncGenerator<Line[]> {
  const file = basename(path);
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 64 * 1024 })) {
      const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const batch: Line[] = [];
      let from = 0;
      for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, from)) {
        const line = bytes.subarray(from, end);
        from = end + 1;
        number += 1;
        if (isUtf8(line)) batch.push({ text: line.toString("utf8"), number });
        else complain({ code: "NotUtf8", place: placeOf(file, number), message: "holds bytes that are no UTF-8 text" });
      }
      rest = bytes.subarray(from);
      yield batch;
      if (rest.length > longest) {
        const message = `is longer than ${longest} bytes, which no line of an export is; nothing after it was read`;
        complain({ code: "LineTooLong", place: placeOf(file, number + 1), message });
        return;
      }
    }
  } catch (error) {
    complain(unreadable(file, error));
    return;
  }
  if (rest.length > 0) {
    const message = "has no end: the file was cut within this line, which was not read";
    complain({ code: "TornLine", place: placeOf(file, number + 1), message });
  }
}

/** Line by line, where there are few. */
export async function* lines(path: string, complain: Complain): AsyncGenerator<Line> {
  for await (const batch of lineBatches(path, complain)) yield* batch;
}

export function unreadable(file: string, error: unknown) {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR"
    ? { code: "MissingFile", place: file, message: "is not there" }
    : { code: "UnreadableFile", place: file, message: `cannot be read (${String(code ?? error)})` };
}
