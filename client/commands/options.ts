import { userInfo } from "node:os";
import { InvalidArgumentError, Option } from "commander";

/** Options that several commands share, and how their values are read. */

/** Reads a time that a person typed, as the contract writes it. */
export function utcTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError("It must be a time such as 2026-11-01T12:00:00Z.");
  return time.toISOString();
}

export function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("It must be a whole number from 1.");
  return number;
}

const unitBytes: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Reads a size such as `500k` or `4m`, in powers of 1024. */
export function sizeInBytes(text: string): number {
  const [, number = "", unit = ""] = /^(\d+)([kmg]?)$/i.exec(text) ?? [];
  const bytes = Number(number) * (unitBytes[unit.toLowerCase()] ?? 0);
  if (bytes < 1) throw new InvalidArgumentError("It must be a size such as 500k or 4m.");
  return bytes;
}

/** Reads a list with commas. */
export const names = (text: string): string[] =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** The operator who decides; the person at the keyboard where nobody is named. */
export const as = (): Option => new Option("--as <name>", "the operator who decides").default(userInfo().username);

export const purpose = (): Option =>
  new Option("--purpose <purpose...>", "what support may use the logs for (default: both)").choices([
    "troubleshooting",
    "productHealth",
  ]);

export const terms = (): Option =>
  new Option("--terms <version>", "the consent terms that were read (default: those in force)");
