import { visit } from "jsonc-parser";
import type * as z from "zod";
import { DomainError, type ErrorDetail } from "../errors.ts";

/** The body of a request: JSON in UTF-8, no key twice, no field that is not in the schema (`API.md`). */

const mediaType = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i;

/** Parses the body by the schema. Throws `UnsupportedMediaType` and `InvalidBody`, whose target is a JSON pointer. */
export function parseBody<T>(body: Uint8Array | undefined, contentType: string | null, schema: z.ZodType<T>): T {
  if (contentType === null || !mediaType.test(contentType)) {
    throw new DomainError("UnsupportedMediaType", "Send the body as Content-Type: application/json.");
  }
  const value = parseJson(body);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.flatMap(problems));
}

function parseJson(body: Uint8Array | undefined): unknown {
  if (body === undefined) throw invalid([{ target: "", message: "A JSON body is needed" }]);
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    value = JSON.parse(text);
  } catch (error) {
    throw invalid([{ target: "", message: "The body is not JSON in UTF-8" }], error);
  }
  refuseRepeatedKeys(text);
  return value;
}

/** `JSON.parse` keeps the last of two equal keys: what was signed must have one meaning. */
function refuseRepeatedKeys(text: string): void {
  const open: Set<string>[] = [];
  try {
    visit(text, {
      onObjectBegin: () => void open.push(new Set()),
      onObjectEnd: () => void open.pop(),
      onObjectProperty: (key, _offset, _length, _line, _character, path) => enterKey(open.at(-1), key, path),
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalid([{ target: "", message: "The body is nested too deep" }], error);
  }
}

/** The path is asked for only where it is told: making it for each key would be work by the square of the nesting. */
function enterKey(keys: Set<string> | undefined, key: string, path: () => readonly PropertyKey[]): void {
  const target = () => pointer([...path(), key]);
  // An own property of this name is invisible to most checks of fields.
  if (key === "__proto__") throw invalid([{ target: target(), message: "Unknown field" }]);
  if (keys?.has(key)) throw invalid([{ target: target(), message: "The key stands here twice" }]);
  keys?.add(key);
}

type Problem = { readonly target: string; readonly message: string };

function problems(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === "unrecognized_keys") {
    // A schema may know more of a field that it refuses than that it is unknown.
    const message = issue.message.startsWith("Unrecognized key") ? "Unknown field" : issue.message;
    return issue.keys.map((key) => ({ target: pointer([...issue.path, key]), message }));
  }
  return [{ target: pointer(issue.path), message: issue.message }];
}

/** RFC 6901. */
const pointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1").toWellFormed()}`).join("");

const mostDetails = 10;

function invalid(found: readonly Problem[], cause?: unknown): DomainError {
  const [first] = found;
  const details: ErrorDetail[] = found
    .slice(0, mostDetails)
    .map(({ target, message }) => ({ code: "InvalidBody", target: target.slice(0, 200), message }));
  const where = first === undefined || first.target === "" ? "" : ` at ${first.target.slice(0, 200)}`;
  return new DomainError(
    "InvalidBody",
    `${first?.message ?? "The body is invalid"}${where}. Correct the body and send it again.`,
    {
      target: first?.target.slice(0, 200) ?? "",
      details: found.length > 1 ? details : [],
      cause,
    },
  );
}
