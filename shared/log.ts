import { AsyncLocalStorage } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import type { Log } from "./operations/needs.ts";
import { currentTrace } from "./trace.ts";

/** Structured lines: one JSON object each, with an event's name and its facts. Facts are codes, ids and counts, never secrets or people. */

type Level = "info" | "warn" | "error";
export type Sink = (level: Level, line: string) => void;

const sinks = new AsyncLocalStorage<Sink>();

/** Runs an invocation whose lines go to its own sink, so that the host knows which invocation said them. */
export const withSink = <T>(sink: Sink, work: () => T): T => sinks.run(sink, work);

const toStandardError: Sink = (_level, line) => void process.stderr.write(`${line}\n`);

/** Every line comes by here as well, whatever sink it goes to: metrics are read off them, and the tests look whether one holds a secret. */
export const logChannel = "stamp-intake:log";
const lines = channel(logChannel);

function write(level: Level, event: string, facts: Readonly<Record<string, unknown>>): void {
  const sink = sinks.getStore() ?? toStandardError;
  const trace = currentTrace();
  const step = trace && { traceId: trace.traceId, spanId: trace.spanId };
  const line = JSON.stringify({ event, ...step, ...facts });
  lines.publish({ level, line, event, facts, trace });
  sink(level, line);
}

export const log: Log = {
  info: (event, facts = {}) => write("info", event, facts),
  alert: (event, facts = {}) => write("error", event, { ...facts, alert: true }),
  error: (event, error, facts = {}) => write("error", event, { ...facts, ...described(error) }),
};

/** An error's name, code and place; of a storage error the status too. Its URL, which may carry a signature, is left out. */
function described(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = "code" in error && typeof error.code === "string" ? { errorCode: error.code } : {};
  const status = "statusCode" in error && typeof error.statusCode === "number" ? { status: error.statusCode } : {};
  const cause = error.cause === undefined ? {} : { cause: described(error.cause) };
  const errors = error instanceof AggregateError ? { errors: error.errors.slice(0, 3).map(described) } : {};
  // Without the message, which may have several lines and stands sanitized beside it.
  const stack = error.stack
    ?.split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at "))
    .slice(0, 4);
  return {
    error: error.name,
    ...code,
    ...status,
    ...cause,
    ...errors,
    message: withoutSignatures(error.message),
    stack,
  };
}

const withoutSignatures = (text: string): string => text.slice(0, 500).replaceAll(/sig=[^&\s"]+/gi, "sig=…");
