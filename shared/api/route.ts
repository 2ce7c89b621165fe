import type { z } from "zod";

/** A route of the contract as data: what it is called, who may call it, what goes in and what comes out. */

/** Roles of bearer tokens by their letter in `API.md`, and the stamp in the path. */
export type Permission = "stamp" | "R" | "C" | "E" | "A";

export type Verb = "GET" | "PUT" | "POST" | "DELETE";

export type Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType | undefined = z.ZodType | undefined,
  Result extends z.ZodType | undefined = z.ZodType | undefined,
> = {
  /** `Resource_Action`; also the name of the Azure function. */
  readonly operationId: string;
  readonly verb: Verb;
  readonly path: `/${string}`;
  /** Who may call it; `anyone` needs no credential and no `api-version`. */
  readonly who: readonly Permission[] | "anyone";
  readonly summary: string;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly result: Result;
  /** The statuses of success. */
  readonly statuses: readonly (200 | 201 | 202 | 204)[];
};

/** Keeps the types of a route's schemas. */
export const route = <
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType | undefined,
  Result extends z.ZodType | undefined,
>(
  definition: Route<Params, Query, Body, Result>,
): Route<Params, Query, Body, Result> => definition;

export type ParamsOf<R extends Route> = z.infer<R["params"]>;
export type QueryOf<R extends Route> = z.infer<R["query"]>;
export type BodyOf<R extends Route> = R["body"] extends z.ZodType ? z.infer<R["body"]> : undefined;
export type ResultOf<R extends Route> = R["result"] extends z.ZodType ? z.infer<R["result"]> : undefined;
