/** The components of a request that a signature may cover (RFC 9421, section 2). */

export type RequestMessage = {
  readonly method: string;
  /** The configured public origin, then path and query as sent. */
  readonly targetUri: string;
  readonly headers: Headers;
};

/** Looks up the value of a derived component or of a field; undefined for one that the request does not have. */
export function componentsOf({ method, targetUri, headers }: RequestMessage) {
  const derived = new Map([["@method", method], ["@target-uri", targetUri], ...partsOf(targetUri)]);
  return (name: string): string | undefined =>
    name.startsWith("@") ? derived.get(name) : (headers.get(name) ?? undefined);
}

const defaultPort: Readonly<Record<string, string>> = { http: ":80", https: ":443" };

/** By the pattern of RFC 3986, appendix B: parsing as a URL would re-encode what was signed. */
function partsOf(targetUri: string): [name: string, value: string][] {
  const [, scheme = "", authority = "", path = "", query = ""] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?/i.exec(targetUri) ?? [];
  if (scheme === "") return [];
  const port = defaultPort[scheme.toLowerCase()] ?? "";
  const host = authority.toLowerCase();
  return [
    ["@scheme", scheme.toLowerCase()],
    ["@authority", port !== "" && host.endsWith(port) ? host.slice(0, -port.length) : host],
    ["@path", path === "" ? "/" : path],
    // RFC 9421, 2.2.7: without a query it is a question mark alone.
    ["@query", query === "" ? "?" : query],
    ["@request-target", `${path === "" ? "/" : path}${query}`],
  ];
}
