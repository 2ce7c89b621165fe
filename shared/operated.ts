import * as z from "zod";
import { log } from "./log.ts";
import { currentTrace, traceOf, withTrace } from "./trace.ts";

/** What timers and messages start runs in a trace, and says in one line how it went. */

const operated = <T>(operation: string, traceparent: string | undefined, work: () => Promise<T>): Promise<T> =>
  withTrace(traceOf(traceparent), async () => {
    const begun = performance.now();
    const durationMs = () => Math.round(performance.now() - begun);
    try {
      const result = await work();
      log.info("operation.done", { operation, durationMs: durationMs(), roundTrips: currentTrace()?.made.roundTrips });
      return result;
    } catch (error) {
      log.error("operation.failed", error, {
        operation,
        durationMs: durationMs(),
        roundTrips: currentTrace()?.made.roundTrips,
      });
      throw error;
    }
  });

export const onTime = (operation: string, work: () => Promise<void>) => () => operated(operation, undefined, work);

/** Queued within a trace, a message names it. */
const traced = z.object({ traceparent: z.string().optional() });

export const onMessage = (operation: string, work: (message: unknown) => Promise<void>) => (message: unknown) =>
  operated(operation, traced.safeParse(message).data?.traceparent, () => work(message));
