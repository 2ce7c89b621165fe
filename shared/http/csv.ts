/** Comma-separated values (RFC 4180) for a spreadsheet; the first row is the head. */

export type CsvRow = readonly (string | number)[];

export const csvOf = (rows: readonly CsvRow[]): string => rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");

/** What a spreadsheet would run as a formula is quoted with `'` (OWASP, CSV Injection); a number is none. */
function cell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const harmless = /^\s*[=+\-@|%]|^[\t\r\n]/u.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Whether the caller wants CSV: says so in the query, or would rather have it than JSON. Equal wishes are for JSON. */
export function wantsCsv(format: "json" | "csv" | undefined, accept: string | undefined): boolean {
  if (format !== undefined) return format === "csv";
  const wishes = new Map((accept ?? "").split(",").map(wish));
  const json = wishes.get("application/json") ?? wishes.get("application/*") ?? wishes.get("*/*") ?? 0;
  return (wishes.get("text/csv") ?? 0) > json;
}

/** A media range and its weight. */
function wish(text: string): [range: string, weight: number] {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = Number(parameters.find((each) => each.startsWith("q="))?.slice(2) ?? 1);
  return [range, Number.isNaN(weight) ? 0 : weight];
}
