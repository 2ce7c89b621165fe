import { hash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/**
 * Hashes the lines of a file one by one, with nothing else, and prints the milliseconds: with the reading of the file, as `read` does it with one
 * buffer, or of lines that stand in memory already (`memory`).
 */

const newline = 0x0a;
const [mode, file = ""] = process.argv.slice(2);

function hashAsRead(): void {
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  const descriptor = openSync(file, "r");
  for (let held = 0; ; ) {
    const read = readSync(descriptor, buffer, held, Math.min(256 * 1024, buffer.length - held), null);
    if (read === 0) break;
    const bytes = buffer.subarray(0, held + read);
    let from = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, from)) {
      hash("sha256", bytes.subarray(from, end), "hex");
      from = end + 1;
    }
    bytes.copyWithin(0, from);
    held = bytes.length - from;
  }
  closeSync(descriptor);
}

function linesInMemory(): Buffer[] {
  const bytes = readFileSync(file);
  const lines: Buffer[] = [];
  let from = 0;
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, from)) {
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return lines;
}

const lines = mode === "memory" ? linesInMemory() : [];
const begun = performance.now();
if (mode === "memory") for (const line of lines) hash("sha256", line, "hex");
else hashAsRead();
console.log(performance.now() - begun);
