import type * as z from "zod";
import { apiVersion, queryNames, type Route, takesBody } from "../api/route.ts";
import { DomainError } from "../errors.ts";
import { parseBody } from "./json.ts";
import type { Received } from "./received.ts";
import { noSuchRoute } from "./refuse.ts";

/** Parses path, query and body by the route's schemas. */

/** A colon begins an action and stands in no id: here it is an action that the contract does not have, or not with this verb. */
export function requireNoAction(params: Received["params"]): void {
  if (Object.values(params).some((value) => value.includes(":"))) throw noSuchRoute();
}

export function requireApiVersion(query: URLSearchParams): void {
  const versions = query.getAll("api-version");
  const [version] = versions;
  if (versions.length > 1) throw givenTwice("api-version");
  if (version === undefined) {
    throw new DomainError("MissingApiVersionParameter", `Add ?api-version=${apiVersion} to the URL.`, {
      target: "api-version",
    });
  }
  if (version !== apiVersion) {
    throw new DomainError("UnsupportedApiVersionValue", `The version served here is ${apiVersion}.`, {
      target: "api-version",
    });
  }
}

const givenTwice = (name: string) =>
  new DomainError("InvalidParameter", "The query names a parameter twice: give it once.", {
    target: name.slice(0, 128),
  });

export function parseRest<Query, Body>(
  route: Route<unknown, Query, Body>,
  received: Received,
): { query: Query; body: Body } {
  requireKnownParameters(route, received.query);
  requireIdentity(received.headers);
  const body = takesBody(route)
    ? parseBody(received.body, received.headers.get("content-type"), route.body)
    : route.body.parse(refuseBody(received));
  return { query: parsePart(route.query, Object.fromEntries(received.query), "the query"), body };
}

/** A mistyped filter must not answer with everything. Public routes ignore what they do not know. */
function requireKnownParameters(route: Route, query: URLSearchParams): void {
  const known = queryNames(route);
  const seen = new Set<string>();
  for (const name of query.keys()) {
    if (seen.has(name)) throw givenTwice(name);
    seen.add(name);
    if (route.who === "anyone" || known.includes(name)) continue;
    const target = name.slice(0, 128);
    throw new DomainError(
      "InvalidParameter",
      `The query parameter ${JSON.stringify(target)} is unknown here. Leave it out, or use one of: ${known.join(", ")}.`,
      { target },
    );
  }
}

function requireIdentity(headers: Headers): void {
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding.trim().toLowerCase() === "identity") return;
  throw new DomainError("UnsupportedMediaType", "Send the body as it is, without Content-Encoding.");
}

function refuseBody(received: Received): undefined {
  if (received.body !== undefined) {
    throw new DomainError("InvalidBody", "This operation takes no body: send none.", { target: "" });
  }
  return undefined;
}

export function parsePart<T>(schema: z.ZodType<T>, values: unknown, where: string): T {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0] ?? "");
  throw new DomainError("InvalidParameter", `${name} in ${where} ${issue?.message ?? "is invalid"}.`, { target: name });
}
