import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from "@azure/functions";
import type { Route } from "../shared/api/route.ts";
import { type App, openApp } from "../shared/app.ts";
import { readConfig } from "../shared/config.ts";
import type { Handlers } from "../shared/http/handlers/handler.ts";
import { type Handler, serve } from "../shared/http/serve.ts";
import { refuseUnknown } from "../shared/http/unknown.ts";
import { lazy } from "../shared/lazy.ts";
import { type LocalRun, localRunIn } from "../shared/localRun.ts";
import { log, withSink } from "../shared/log.ts";
import type { Telemetry } from "../shared/openTelemetry.ts";
import { traceOf, withTrace } from "../shared/trace.ts";

/** The app of this process, opened once: at start where the host says so, so that a bad setting stops it there. */

const theConfig = lazy(async () => readConfig(process.env, localRun));
const theApp = lazy(start);
let localRun: LocalRun | undefined;

async function start(): Promise<App> {
  const config = await theConfig();
  if (config.telemetryEndpoint !== undefined) {
    const { openTelemetry } = await import("../shared/openTelemetry.ts");
    telemetry = openTelemetry(config.telemetryEndpoint);
  }
  const opening = openApp(config);
  await opening.check();
  return opening;
}

let telemetry: Telemetry | undefined;

/** A collector that does not answer makes nothing fail. */
const orUnsent = (work: Promise<void> | undefined) =>
  work?.catch((error: unknown) => log.error("telemetry.notSent", error));

app.hook.appStart(async ({ hookData }) => {
  localRun = localRunIn(hookData);
  await theApp();
});
app.hook.appTerminate(async () => void (await orUnsent(telemetry?.stop())));

/** Serves one request; what it logs goes to its invocation. */
export const serveRoute = <Params, Query, Body>(
  route: Route<Params, Query, Body>,
  handler: (handlers: Handlers) => Handler<Params, Query, Body>,
  request: HttpRequest,
  context: InvocationContext,
): Promise<HttpResponseInit> =>
  withSink(sinkOf(context), () =>
    serve(
      async () => (await theApp()).edge,
      route,
      async () => handler((await theApp()).handlers),
      request,
      context,
    ),
  );

/** Answers what this app has no route for: 404, or why the request could not have been for any. */
export const serveUnknown = (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> =>
  withSink(sinkOf(context), () =>
    withTrace(traceOf(request.headers.get("traceparent") ?? undefined), () =>
      refuseUnknown(async () => (await theConfig()).otherApp, request, context, log),
    ),
  );

/** Runs what a queue or a timer triggers. */
export const run = (work: (app: App) => Promise<void>, context: InvocationContext): Promise<void> =>
  withSink(sinkOf(context), async () => {
    try {
      await work(await theApp());
    } finally {
      await orUnsent(telemetry?.flush());
    }
  });

const sinkOf = (context: InvocationContext) => (level: "info" | "warn" | "error", line: string) => context[level](line);
