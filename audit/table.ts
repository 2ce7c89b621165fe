/** Rows as text: aligned for people, or comma-separated (RFC 4180) for a spreadsheet. The first row is the head. */

export type Row = readonly (string | number)[];

export function alignedLines(rows: readonly Row[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? "").length)));
  const padded = (row: Row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return typeof cell === "number" ? String(cell).padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  const [head, ...body] = rows.map(padded);
  return head === undefined ? [] : [head, widths.map((width) => "-".repeat(width)).join("  "), ...body];
}

export const csvLines = (rows: readonly Row[]): string[] => rows.map((row) => row.map(cell).join(","));

/** What a spreadsheet would run as a formula (OWASP, CSV injection) is quoted with `'`; a number is none. */
function cell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const harmless = /^[=+\-@\t\r\n|%]|^\s+[=+\-@]/u.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
