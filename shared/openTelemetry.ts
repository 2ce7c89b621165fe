import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type Attributes, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import * as z from "zod";
import { logChannel } from "./log.ts";
import { type Metric, metrics, spanEvents } from "./metrics.ts";

/** Sends metrics and spans by OTLP over HTTP. The only module that knows the SDKs; it is loaded where an endpoint is configured, and nowhere else. */

export type Telemetry = { readonly flush: () => Promise<void>; readonly stop: () => Promise<void> };

const scope = "stamp-intake";
const exportEveryMs = 15_000;

const fact = z.union([z.string(), z.number(), z.boolean()]);
const said = z.object({
  event: z.string(),
  facts: z.record(z.string(), z.unknown()),
  trace: z.object({ traceId: z.string(), spanId: z.string(), parentId: z.string().optional() }).optional(),
});
type Said = z.infer<typeof said>;

/** `endpoint` is the collector's base URL, such as http://127.0.0.1:4318. Nothing is sent yet. */
export function openTelemetry(endpoint: string): Telemetry {
  const base = endpoint.replace(/\/$/, "");
  const resource = resourceFromAttributes({ "service.name": scope });
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url: `${base}/v1/metrics` }),
    exportIntervalMillis: exportEveryMs,
  });
  const meters = new MeterProvider({ resource, readers: [reader] });
  // A span is made of a line that was said in a trace already: its ids are the line's.
  let ids = { traceId: "", spanId: "" };
  const idGenerator = { generateTraceId: () => ids.traceId, generateSpanId: () => ids.spanId };
  const spanProcessors = [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${base}/v1/traces` }) })];
  const tracers = new TracerProvider({ resource, idGenerator, spanProcessors });
  const tracer = tracers.getTracer(scope);
  const record = recorders(meters);

  function span({ event, facts, trace: step }: Said): void {
    if (step === undefined || !spanEvents.includes(event)) return;
    ids = step;
    const endTime = Date.now();
    const kind = event.startsWith("request") ? SpanKind.SERVER : SpanKind.CONSUMER;
    const parent = step.parentId === undefined ? ROOT_CONTEXT : parentOf(step.traceId, step.parentId);
    const startTime = endTime - Number(facts.durationMs ?? 0);
    const attributes = attributesOf(["operation", "status", "code"], facts);
    const made = tracer.startSpan(String(facts.operation), { kind, startTime, attributes }, parent);
    if (event.endsWith("failed")) made.setStatus({ code: SpanStatusCode.ERROR });
    made.end(endTime);
  }

  const listen = (message: unknown) => {
    const line = said.parse(message);
    for (const each of record) each(line);
    span(line);
  };
  subscribe(logChannel, listen);
  const flush = async () => void (await Promise.all([meters.forceFlush(), tracers.forceFlush()]));
  return {
    flush,
    stop: async () => {
      unsubscribe(logChannel, listen);
      await Promise.all([meters.shutdown(), tracers.shutdown()]);
    },
  };
}

const parentOf = (traceId: string, spanId: string) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1, isRemote: true });

const recorders = (meters: MeterProvider): readonly ((line: Said) => void)[] =>
  metrics.map((metric) => {
    const add = instrumentOf(meters, metric);
    return ({ event, facts }) => {
      if (!metric.events.includes(event)) return;
      const value = metric.fact === undefined ? 1 : facts[metric.fact];
      if (typeof value === "number") add(value, attributesOf(metric.attributes, facts));
    };
  });

function instrumentOf(meters: MeterProvider, { name, kind, unit, description }: Metric) {
  const meter = meters.getMeter(scope);
  if (kind === "counter") {
    const counter = meter.createCounter(name, { unit, description });
    return (value: number, attributes: Attributes) => counter.add(value, attributes);
  }
  const histogram = meter.createHistogram(name, { unit, description });
  return (value: number, attributes: Attributes) => histogram.record(value, attributes);
}

const attributesOf = (names: readonly string[], facts: Readonly<Record<string, unknown>>): Attributes =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = fact.safeParse(facts[name]);
      return value.success ? [[name, value.data]] : [];
    }),
  );
