import { hash } from "node:crypto";
import canonicalize from "canonicalize";

/** Lines as RFC 8785 has them, told without making the form anew wherever the line itself shows it. */

export const sha256Hex = (text: string): string => hash("sha256", text, "hex");

/** JSON, or undefined where the text is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether the text is the RFC 8785 form of its value. */
export function isCanonical(text: string, value: unknown): boolean {
  return formOf(value) === text;
}

/** Undefined where the value has no form: a lone surrogate, or nested beyond reason. */
export function formOf(value: unknown): string | undefined {
  try {
    return canonicalize(value);
  } catch {
    return undefined;
  }
}

/**
 * The RFC 8785 form of an event without its hash; undefined where the line is not the form of the event. A member cut out of a canonical line
 * leaves a canonical line, and `JSON.stringify` writes the form of whatever has its names in order.
 */
export function formWithoutHash(line: string, event: unknown): string | undefined {
  if (!isObject(event)) return undefined;
  const { hash, ...rest } = event;
  const member = `"hash":"${hash}",`;
  const at = line.lastIndexOf(member);
  // A lone surrogate, written as an escape, has no form.
  if (at !== -1 && !line.includes("\\ud")) {
    const form = line.slice(0, at) + line.slice(at + member.length);
    if (isOrdered(event) && JSON.stringify(rest) === form) return form;
  }
  return isCanonical(line, event) ? formOf(rest) : undefined;
}

/** Whether all names stand in the order of their UTF-16 code units. Names such as `10` never do here: their object has an order of its own. */
function isOrdered(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(isOrdered);
  let before: string | undefined;
  for (const [name, inner] of Object.entries(value)) {
    if (before !== undefined && name <= before) return false;
    if (!isOrdered(inner)) return false;
    before = name;
  }
  return true;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
