/** What the command line says: results on standard output, everything else on standard error. */

/** What happens on the way, by its kind; more kinds and more fields may come. */
export type OutputEvent = { readonly event: "progress" | "retry" | "note" | "error" } & Readonly<
  Record<string, unknown>
>;

export type Output = {
  /** What the command was run for: `value` where `--json` is given, else the lines. */
  readonly result: (value: unknown, ...lines: readonly string[]) => void;
  /** Something on the way that a person may want to know; left out with `--quiet`. */
  readonly note: (line: string) => void;
  /** Tells a script of something on the way: one line of JSON on standard error. Only where `--json` is given, without `--quiet`. */
  readonly event: ((event: OutputEvent) => void) | undefined;
  /** A terminal that takes a line which is drawn again and again. */
  readonly terminal: NodeJS.WriteStream | undefined;
};

export function openOutput({ json, quiet }: { readonly json: boolean; readonly quiet: boolean }): Output {
  const event = ({ event: kind, ...told }: OutputEvent) =>
    void process.stderr.write(`${JSON.stringify({ event: kind, ...told })}\n`);
  const say = json ? (message: string) => event({ event: "note", message }) : writeLine;
  return {
    result: (value, ...lines) => {
      process.stdout.write(
        json ? `${JSON.stringify(value, undefined, 2)}\n` : lines.map((line) => `${line}\n`).join(""),
      );
    },
    note: (line) => {
      if (!quiet) say(line);
    },
    event: json && !quiet ? event : undefined,
    terminal: process.stderr.isTTY && !quiet && !json ? process.stderr : undefined,
  };
}

const writeLine = (line: string) => void process.stderr.write(`${line}\n`);

const unitsOfSize = ["bytes", "KB", "MB", "GB", "TB"] as const;

/** A size as people say it, in powers of 1000: `41.3 MB`. */
export function size(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(unitsOfSize.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unitsOfSize[power]}`;
}

/** A length of time as people say it: `12 s`, `4 min`, `1 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A time of the contract as people read it, in UTC: `2026-11-01 12:00 UTC`; `-` where there is none. */
export const time = (text: string | undefined): string =>
  text === undefined ? "-" : `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;

/** Rows under a heading, in columns as wide as their widest cell. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
