/** What the function app is told of a request's target. */
export type RequestTarget = {
  /** Decoded, without query; what routes are matched against. */
  readonly path: string;
  /** The path as the handler's URL has it. */
  readonly encodedPath: string;
  /** With its `?`, as sent; empty where there is none. */
  readonly query: string;
};

/**
 * Reads a request line's target as the real host does (Kestrel, then ASP.NET's `PathString`): escapes are decoded, dot segments
 * resolved, and what a URL cannot hold is encoded again. `undefined` for a target that the real host answers with 400.
 *
 * One thing differs: an escape that was never needed (`%41`, `%2e`) shows in the handler's URL. Kestrel would hand over `A`, or resolve the
 * dots, and the function could not tell; here the contract's refusal of any `%` in a path shows.
 */
export function readRequestTarget(target: string): RequestTarget | undefined {
  const originForm = target.replace(/^https?:\/\/[^/?#]*/i, "");
  const [rawPath = "", ...rest] = originForm.split("?");
  const path = resolveDots(decode(rawPath === "" ? "/" : rawPath));
  if (!path.startsWith("/") || path.includes("\0")) return undefined;
  return { path, encodedPath: encode(rawPath), query: rest.length === 0 ? "" : `?${rest.join("?")}` };
}

/** `%2F` stays: it is not a separator, and only the function knows what it means. */
function decode(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes.replace(/%(2f)/gi, "%25$1"));
    } catch {
      return escapes;
    }
  });
}

function resolveDots(path: string): string {
  if (!/\/\.\.?(\/|$)/.test(path)) return path;
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (last) kept.push("");
  }
  return `/${kept.join("/")}`;
}

/** Node hands over raw bytes as Latin-1, so a character is a byte here. A URL would take an escaped dot for a plain one. */
function encode(path: string): string {
  return path.replace(/%(?=2e)/gi, "%25").replace(/%(?![0-9a-f]{2})|[^\w\-.~!$&'()*+,;=:@/%]/gi, (byte) => {
    return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

/** The query as the host's own map: keys ignore case, and a key that comes twice has its values joined by a comma. */
export function joinedQuery(query: string): Record<string, string> {
  const joined = new Map<string, { key: string; values: string[] }>();
  for (const [key, value] of new URLSearchParams(query)) {
    const known = joined.get(key.toLowerCase());
    if (known === undefined) joined.set(key.toLowerCase(), { key, values: [value] });
    else known.values.push(value);
  }
  return Object.fromEntries([...joined.values()].map(({ key, values }) => [key, values.join(",")]));
}
