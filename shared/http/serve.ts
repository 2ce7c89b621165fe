import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import * as z from "zod";
import { type Route, takesBody } from "../api/route.ts";
import { statusOf } from "../api/status.ts";
import type { Condition } from "../domain/etag.ts";
import type { DomainError } from "../errors.ts";
import type { Caller } from "../operations/caller.ts";
import type { Log } from "../operations/needs.ts";
import { currentTrace, traceOf, withTrace } from "../trace.ts";
import { type Answer, toResponse, unlessHeld } from "./answer.ts";
import { type Authentication, authenticate, challengeFor } from "./authenticate.ts";
import { decodePlace, nextLink } from "./paging.ts";
import { parsePart, parseRest, requireApiVersion, requireNoAction } from "./parse.ts";
import { type Received, receive } from "./received.ts";
import { asRefusal, refusalResponse } from "./refuse.ts";

/** One request through the layers, in the contract's order of checks: length and size, path, api-version, credential, role, query, body, operation. */

/** What a handler gets: everything parsed, the caller known. */
export type Call<Params, Query, Body> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller | undefined;
  readonly condition: Condition;
  /** The media types that the caller would take (RFC 9110, 12.5.1). */
  readonly accept: string | undefined;
  /** The place that a list goes on from. */
  readonly after: string | undefined;
};

export type Handler<Params, Query, Body> = {
  (call: Call<Params, Query, Body>): Promise<Answer>;
  /** May refuse the call before its signature is used up, when a refusal must cost little. It changes nothing. */
  readonly gate?: (call: Call<Params, Query, Body>) => Promise<void>;
};

/** A handler with a gate before it. */
export const gated = <Params, Query, Body>(
  gate: (call: Call<Params, Query, Body>) => Promise<void>,
  handle: (call: Call<Params, Query, Body>) => Promise<Answer>,
): Handler<Params, Query, Body> => Object.assign(handle, { gate });

export type Edge = Authentication & { readonly log: Log };

export const serve = <Params, Query, Body>(
  edge: () => Promise<Edge>,
  route: Route<Params, Query, Body>,
  handler: () => Promise<Handler<Params, Query, Body>>,
  request: HttpRequest,
  context: Pick<InvocationContext, "invocationId">,
): Promise<HttpResponseInit> =>
  withTrace(traceOf(request.headers.get("traceparent") ?? undefined), () =>
    answer(edge, route, handler, request, context),
  );

async function answer<Params, Query, Body>(
  edge: () => Promise<Edge>,
  route: Route<Params, Query, Body>,
  handler: () => Promise<Handler<Params, Query, Body>>,
  request: HttpRequest,
  context: Pick<InvocationContext, "invocationId">,
): Promise<HttpResponseInit> {
  const begun = performance.now();
  const headers = commonHeaders(request, context.invocationId);
  try {
    const using = await edge();
    const received = await receive(request, takesBody(route));
    requireNoAction(received.params);
    const params = parsePart(route.params, received.params, "the path");
    if (route.who !== "anyone") requireApiVersion(received.query);
    const { caller, admit } = await authenticate(using, route, received);
    const handle = await handler();
    const call = () => callOf(route, received, params, caller);
    await passGate(handle, call);
    await admit();
    const answered = await handle(call());
    const whole = toResponse(answered, (place) => nextLink(using.publicOrigin, received, place));
    const response = route.verb === "GET" ? unlessHeld(answered, whole, conditionOf(received)) : whole;
    using.log.info("request.done", {
      operation: route.operationId,
      status: response.status ?? 200,
      durationMs: Math.round(performance.now() - begun),
      roundTrips: currentTrace()?.made.roundTrips,
      requestId: context.invocationId,
    });
    return withHeaders(response, headers);
  } catch (error) {
    const refusal = asRefusal(error);
    await report(edge, route, refusal, context.invocationId, begun);
    return withHeaders(refusalResponse(refusal, challengeFor(route.who)), headers);
  }
}

async function passGate<Params, Query, Body>(
  { gate }: Handler<Params, Query, Body>,
  parse: () => Call<Params, Query, Body>,
): Promise<void> {
  if (gate === undefined) return;
  let call: Call<Params, Query, Body>;
  try {
    call = parse();
  } catch {
    // What is wrong with the request is told in its turn, after the credential.
    return;
  }
  await gate(call);
}

function callOf<Params, Query, Body>(
  route: Route<Params, Query, Body>,
  received: Received,
  params: Params,
  caller: Caller | undefined,
): Call<Params, Query, Body> {
  const { query, body } = parseRest(route, received);
  return {
    params,
    query,
    body,
    caller,
    condition: conditionOf(received),
    accept: received.headers.get("accept") ?? undefined,
    after: decodePlace(paged.parse(query).skipToken),
  };
}

const conditionOf = ({ headers }: Received): Condition => ({
  ifMatch: headers.get("if-match") ?? undefined,
  ifNoneMatch: headers.get("if-none-match") ?? undefined,
});

/** Only a list's query has a place. */
const paged = z.object({ skipToken: z.string().optional() });

/** Echoed only where it can stand in a header. */
const echoable = /^[\x20-\x7e]{1,128}$/;

export function commonHeaders(request: HttpRequest, requestId: string): Record<string, string> {
  const clientId = request.headers.get("x-ms-client-request-id");
  return {
    "x-ms-request-id": requestId,
    ...(clientId !== null && echoable.test(clientId) ? { "x-ms-client-request-id": clientId } : {}),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
}

export const withHeaders = (response: HttpResponseInit, common: Record<string, string>): HttpResponseInit => ({
  ...response,
  headers: { ...common, ...Object.fromEntries(new Headers(response.headers)) },
});

async function report(
  edge: () => Promise<Edge>,
  route: Route,
  refusal: DomainError,
  requestId: string,
  begun: number,
): Promise<void> {
  try {
    const { log } = await edge();
    const status = statusOf[refusal.code];
    const durationMs = Math.round(performance.now() - begun);
    const roundTrips = currentTrace()?.made.roundTrips;
    const facts = { operation: route.operationId, code: refusal.code, durationMs, roundTrips, requestId };
    // What a refusal was caused by quotes the caller: a body, a header, a token (invariant 9).
    if (status < 500) log.info("request.refused", { ...facts, status });
    else log.error("request.failed", refusal.cause ?? refusal, facts);
  } catch {
    // Without a log there is nowhere to say so; the caller gets the refusal all the same.
  }
}
