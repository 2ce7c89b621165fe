import { app } from "@azure/functions";
import type { Route } from "../../shared/api/route.ts";
import { servedBy } from "../../shared/apps.ts";
import type { Handlers } from "../../shared/http/handlers/handler.ts";
import type { Handler } from "../../shared/http/serve.ts";
import { role } from "../role.ts";
import { serveRoute } from "../running.ts";

/** One function per operation that this app serves, named as it. The edge authenticates in code, so the host's own keys stay out of it. */
export function register<Params, Query, Body>(
  route: Route<Params, Query, Body>,
  handler: (handlers: Handlers) => Handler<Params, Query, Body>,
): void {
  const served = servedBy(role, route);
  if (served === undefined) return;
  app.http(served.operationId, {
    methods: [served.verb],
    route: served.path.slice(1),
    authLevel: "anonymous",
    handler: (request, context) => serveRoute(served, handler, request, context),
  });
}
