import { app } from "@azure/functions";
import type { Route } from "../../shared/api/route.ts";
import type { Handlers } from "../../shared/http/handlers/handler.ts";
import type { Handler } from "../../shared/http/serve.ts";
import { serveRoute } from "../running.ts";

/** One function per operation of the contract, named as it. The edge authenticates in code, so the host's own keys stay out of it. */
export function register<Params, Query, Body>(
  route: Route<Params, Query, Body>,
  handler: (handlers: Handlers) => Handler<Params, Query, Body>,
): void {
  app.http(route.operationId, {
    methods: [route.verb],
    route: route.path.slice(1),
    authLevel: "anonymous",
    handler: (request, context) => serveRoute(route, handler, request, context),
  });
}
