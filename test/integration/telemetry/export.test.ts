import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { expect, test } from "vitest";
import { z } from "zod";
import { log } from "../../../shared/log.ts";
import { metrics } from "../../../shared/metrics.ts";
import { openTelemetry } from "../../../shared/openTelemetry.ts";
import { traceOf, withTrace } from "../../../shared/trace.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import { accepted } from "../operations/support/bundles.ts";
import { useStages } from "../operations/support/stage.ts";

const stages = useStages();
const bound = z.object({ port: z.int() });

/** A collector of OTLP over HTTP, as JSON, that keeps what it is sent. */
async function openCollector() {
  const got: { path: string; body: string }[] = [];
  const server = createServer((request, response) => {
    json(request)
      .then((body) => {
        got.push({ path: request.url ?? "", body: JSON.stringify(body) });
        response.setHeader("content-type", "application/json").end("{}");
      })
      // An export that was given up in the middle.
      .catch(() => response.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => new Promise<void>((closed) => void server.close(() => closed()));
  const of = (path: string) =>
    got
      .filter((each) => each.path === path)
      .map(({ body }) => body)
      .join("\n");
  return { endpoint: `http://127.0.0.1:${bound.parse(server.address()).port}`, of, close };
}

test("where a collector is configured it gets each metric, and a span of the line's own ids", async () => {
  const collector = await openCollector();
  const telemetry = openTelemetry(`${collector.endpoint}/`);
  try {
    const stage = stages();
    const stamp = await stage.registeredStamp();
    const { bundleId } = await accepted(stage, stamp);
    await stage.another({ offsetDays: 81 }).runTimer("purgeDue");
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    expectStatus(await stamp.call("GET", `${stamp.path}/bundles/${stamp.stampId}`, undefined, { headers }), 404);
    await telemetry.flush();
    const sent = collector.of("/v1/metrics");
    for (const { name } of metrics) expect(sent).toContain(`"${name}"`);
    expect(sent).toContain('"NotFound"');
    expect(sent).not.toContain(bundleId);
    const spans = collector.of("/v1/traces");
    const line = stage.logged.findLast((each) => each.includes(traceId)) ?? "{}";
    const { spanId } = z.object({ spanId: z.string() }).parse(JSON.parse(line));
    for (const id of [traceId, spanId, "b7ad6b7169203331", "Bundles_Get", "purgeDue"])
      expect(spans).toContain(`"${id}"`);
  } finally {
    await telemetry.stop();
    await collector.close();
  }
});

test("after it was stopped nothing is sent any more", async () => {
  const collector = await openCollector();
  const telemetry = openTelemetry(collector.endpoint);
  await telemetry.stop();
  withTrace(traceOf(undefined), () => log.info("request.done", { operation: "Nothing", status: 200, durationMs: 1 }));
  await telemetry.flush().catch(() => undefined);
  expect(collector.of("/v1/metrics") + collector.of("/v1/traces")).not.toContain("Nothing");
  await collector.close();
});
