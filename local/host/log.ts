/** One line on stderr; stdout stays for what a person or a script waits for. No SAS signature or bearer token gets through. */
export function logLine(line: string): void {
  process.stderr.write(`${redact(line)}\n`);
}

/** Takes out what would let a reader of the log act: SAS signatures, account keys and bearer tokens. */
export function redact(text: string): string {
  return text
    .replace(/([?&]sig=)[^&\s"']+/gi, "$1…")
    .replace(/(AccountKey=)[^;\s"']+/gi, "$1…")
    .replace(/(Bearer\s+)[\w.~+/=-]+/gi, "$1…");
}

/** What is worth a log line of an unknown error: its stack where it has one. */
export function describeError(error: unknown): string {
  if (error instanceof Error) return error.stack ?? `${error.name}: ${error.message}`;
  return String(error);
}
