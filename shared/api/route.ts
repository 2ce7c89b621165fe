import * as z from "zod";

/** A route of the contract as data: what it is called, who may call it, what goes in and what comes out. */

export const apiVersion = "2026-11-01";

/** Roles of bearer tokens by their letter in `API.md`, the stamp in the path, and who holds the manifest of the bundle in the path. */
export type Permission = "stamp" | "manifest" | "R" | "C" | "E" | "A";

export type Verb = "GET" | "PUT" | "POST" | "DELETE";

export type Route<Params = unknown, Query = unknown, Body = unknown> = {
  /** `Resource_Action`; also the name of the Azure function. */
  readonly operationId: string;
  readonly verb: Verb;
  readonly path: `/${string}`;
  /** Who may call it; `anyone` needs no credential and no `api-version`. */
  readonly who: readonly Permission[] | "anyone";
  readonly summary: string;
  readonly params: z.ZodType<Params>;
  readonly query: z.ZodType<Query>;
  /** `noBody` where none is sent. */
  readonly body: z.ZodType<Body>;
  /** Undefined where the answer has no content. */
  readonly result: z.ZodType | undefined;
  /** Whether the answer is also given as CSV, to whoever asks for it: `Accept: text/csv` or `format=csv`. */
  readonly alsoCsv?: boolean;
  /** The statuses of success. */
  readonly statuses: readonly (200 | 201 | 202 | 204)[];
};

/** The body of a request that has none. */
export const noBody = z.undefined();

export const takesBody = (route: Route): boolean => route.body !== noBody;

/** The query parameters that the route knows. */
export const queryNames = ({ who, query }: Pick<Route, "who" | "query">): readonly string[] => [
  ...(who === "anyone" ? [] : ["api-version"]),
  ...(query instanceof z.ZodObject ? Object.keys(query.shape) : []),
];

/** Keeps the types of what a route's schemas parse to. */
export const route = <Params, Query, Body>(definition: Route<Params, Query, Body>): Route<Params, Query, Body> =>
  definition;
