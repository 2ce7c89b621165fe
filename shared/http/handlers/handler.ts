import type { Route } from "../../api/route.ts";
import type { OperationId, routes } from "../../api/routes.ts";
import type { Caller, ManifestCaller, StampCaller, TokenCaller } from "../../operations/caller.ts";
import type { PageRequest } from "../../operations/paging.ts";
import type { Handler } from "../serve.ts";

/** Handlers turn a parsed call into the words of an operation, and its outcome into an answer. Every route has one, or this does not compile. */

export type HandlerOf<R> =
  R extends Route<infer Params, infer Query, infer Body> ? Handler<Params, Query, Body> : never;

export type Handlers = { readonly [Id in OperationId]: HandlerOf<(typeof routes)[Id]> };

/** The handlers whose operation ids begin so. */
export type HandlersFor<Prefix extends string> = Pick<Handlers, Extract<OperationId, `${Prefix}_${string}`>>;

/** Routes for anyone have no caller; every other has. */
export function known(caller: Caller | undefined): Caller {
  if (caller === undefined) throw new TypeError("This route authenticates its caller");
  return caller;
}

export function asStamp(caller: Caller | undefined): StampCaller {
  if (caller?.kind !== "stamp") throw new TypeError("This route is the stamp's alone");
  return caller;
}

export function asCarrier(caller: Caller | undefined): ManifestCaller {
  if (caller?.kind !== "manifest") throw new TypeError("This route takes a manifest");
  return caller;
}

export function asToken(caller: Caller | undefined): TokenCaller {
  if (caller?.kind !== "token") throw new TypeError("This route takes a token");
  return caller;
}

const usualTop = 100;

export const pageOf = (call: {
  readonly query: { readonly top?: number | undefined };
  readonly after: string | undefined;
}): PageRequest => ({
  top: call.query.top ?? usualTop,
  after: call.after,
});
