import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";

/**
 * What joins the lines of one bundle's way from stamp to purge: a W3C trace (https://www.w3.org/TR/trace-context/). A request's `traceparent`, or a
 * new one, is in every line of the request, in the message that it queues, and its trace id on the bundle's row.
 */
export type Trace = {
  readonly traceId: string;
  readonly spanId: string;
  /** The step before, where another told of it. */
  readonly parentId?: string | undefined;
  /** Storage calls made in this step. */
  readonly made: { roundTrips: number };
};

const traces = new AsyncLocalStorage<Trace>();

/** Version 00, and what later versions begin with. Ids of zeros are none. */
const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/;

const newSpanId = (): string => randomBytes(8).toString("hex");

/** The next step of the trace that `traceparent` names; of a new one where it names none. */
export function traceOf(traceparent: string | undefined): Trace {
  const [, traceId = randomBytes(16).toString("hex"), parentId] = form.exec(traceparent ?? "") ?? [];
  return { traceId, spanId: newSpanId(), parentId, made: { roundTrips: 0 } };
}

export const withTrace = <T>(trace: Trace, work: () => T): T => traces.run(trace, work);

export const currentTrace = (): Trace | undefined => traces.getStore();

/** The present step as the next one is to be told of it; undefined outside of any. */
export function currentTraceparent(): string | undefined {
  const trace = currentTrace();
  return trace && `00-${trace.traceId}-${trace.spanId}-01`;
}

/** Counts a storage call of the present step. */
export function countRoundTrip(): void {
  const trace = traces.getStore();
  if (trace !== undefined) trace.made.roundTrips += 1;
}

/** Says what belongs to an earlier trace, such as a bundle's, in that one; it is the same step all the same. */
export function underTrace<T>(traceId: string | undefined, work: () => T): T {
  const step = currentTrace();
  if (traceId === undefined || traceId === step?.traceId) return work();
  return withTrace({ traceId, spanId: step?.spanId ?? newSpanId(), made: step?.made ?? { roundTrips: 0 } }, work);
}
