/**
 * Route templates as ASP.NET matches them for the Functions host: case ignored, one trailing slash accepted, a parameter
 * never empty, and several parts in one segment (`{stampId}:disable`) split from the right.
 */
export type RouteTemplate = {
  readonly text: string;
  /** The parameters of `path` (decoded, beginning with `/`), or `undefined` where the template does not fit. */
  readonly match: (path: string) => Readonly<Record<string, string>> | undefined;
};

/** Parses a template such as `stamps/{stampId}:disable` or `{*path}`. Throws an `Error` on syntax that the embedded host has no use for. */
export function parseRouteTemplate(text: string): RouteTemplate {
  const names: string[] = [];
  const parts = text.replace(/^\/|\/$/g, "").split("/");
  const pattern = parts.map((part, index) => {
    const source = segmentPattern(part, text, names);
    if (source.catchAll && index !== parts.length - 1) throw unsupported(text, "a catch-all stands last");
    // The slash belongs to the segment, so that a catch-all also fits where nothing follows. An empty segment is none to begin with.
    return source.catchAll ? `(?:/(?!/)${source.pattern})?` : part === "" ? "" : `/${source.pattern}`;
  });
  const expression = new RegExp(`^${pattern.join("")}/?$`, "is");
  return {
    text,
    match: (path) => {
      const found = expression.exec(path);
      if (found === null) return undefined;
      return Object.fromEntries(
        names.flatMap((name, index) => {
          const value = found[index + 1];
          return value === undefined || value === "" ? [] : [[name, value]];
        }),
      );
    },
  };
}

function segmentPattern(segment: string, template: string, names: string[]): { pattern: string; catchAll: boolean } {
  let catchAll = false;
  const pattern = segment.replace(
    /\{(\*{0,2})([^{}]*)\}|[^{}]+|[{}]/g,
    (token, stars: string | undefined, name: string | undefined) => {
      if (name === undefined) {
        if (token === "{" || token === "}") throw unsupported(template, "unbalanced braces");
        return token.replace(/[.*+?^$()|[\]\\/]/g, "\\$&");
      }
      if (!/^[A-Za-z_]\w*$/.test(name))
        throw unsupported(template, `"${token}": constraints, defaults and optional parameters`);
      if (names.includes(name)) throw unsupported(template, `"${name}" twice`);
      names.push(name);
      if (stars === "") return "([^/]+)";
      if (token !== segment) throw unsupported(template, "a catch-all stands alone in its segment");
      catchAll = true;
      return "(.*)";
    },
  );
  return { pattern, catchAll };
}

const unsupported = (template: string, what: string): Error =>
  new Error(`Route "${template}": the embedded host does not support ${what}.`);
