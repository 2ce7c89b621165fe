import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";

/**
 * What joins the lines of one bundle's way from stamp to purge: a W3C trace (https://www.w3.org/TR/trace-context/). A request's `traceparent`, or a
 * new one, is in every line of the request, in the message that it queues, and its trace id on the bundle's row.
 */
export type Trace = { readonly traceId: string; readonly spanId: string };

const traces = new AsyncLocalStorage<Trace>();

/** Version 00, and what later versions begin with. Ids of zeros are none. */
const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

const newSpanId = (): string => randomBytes(8).toString("hex");

/** The next step of the trace that `traceparent` names; of a new one where it names none. */
export function traceOf(traceparent: string | undefined): Trace {
  const traceId = form.exec(traceparent ?? "")?.[1] ?? randomBytes(16).toString("hex");
  return { traceId, spanId: newSpanId() };
}

export const withTrace = <T>(trace: Trace, work: () => T): T => traces.run(trace, work);

export const currentTrace = (): Trace | undefined => traces.getStore();

/** The present step as the next one is to be told of it; undefined outside of any. */
export function currentTraceparent(): string | undefined {
  const trace = currentTrace();
  return trace && `00-${trace.traceId}-${trace.spanId}-01`;
}

/** Runs what belongs to an earlier trace, such as a bundle's, in that one. */
export const underTrace = <T>(traceId: string | undefined, work: () => T): T =>
  traceId === undefined ? work() : withTrace({ traceId, spanId: currentTrace()?.spanId ?? newSpanId() }, work);
