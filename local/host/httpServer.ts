import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { answerAdmin } from "./admin.ts";
import type { FunctionApp, HttpFunction } from "./functions.ts";
import { fromReturnValue, hasUsableHost, readBody, send, sendText, toRpcHttp } from "./httpData.ts";
import type { Invoker } from "./invoker.ts";
import { describeError, logLine } from "./log.ts";
import { isForThisMachine, notThisMachine } from "./loopback.ts";
import { type RequestTarget, readRequestTarget } from "./requestTarget.ts";

/** Kestrel's limits in the Functions host, in bytes; and how many headers it takes. */
const maxRequestLineBytes = 8_192;
const maxHeaderBytes = 32_768;
const maxHeaders = 100;

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export type HttpServer = {
  readonly port: number;
  /** What answers from now on. Requests that came earlier have waited for it. */
  readonly serve: (handler: Handler) => void;
  /** Takes no new connection, answers what is under way, then closes; resolves when the last connection is gone. */
  readonly close: () => Promise<void>;
  /** Closes whatever is still open, answered or not. */
  readonly end: () => Promise<void>;
};

/** Listens on the loopback, so that the port is known before the function app is configured. Rejects with `EADDRINUSE` and the like. */
export async function listen(port: number): Promise<HttpServer> {
  const ready = Promise.withResolvers<Handler>();
  // Node counts request line and headers together; the host's own limits are checked below.
  const server = createServer({ maxHeaderSize: 1_048_576, keepAliveTimeout: 130_000 }, async (request, response) => {
    response.once("finish", () => {
      if (!server.listening) server.closeIdleConnections();
    });
    const refusal = overLimit(request);
    if (refusal !== undefined) return send(response, { status: refusal });
    const handler = await ready.promise;
    if (!server.listening) response.setHeader("connection", "close");
    await handler(request, response);
  });
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return {
    port: boundPort(server),
    serve: ready.resolve,
    close: () => closeServer(server),
    end: () => endServer(server),
  };
}

function boundPort(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address.port;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

function endServer(server: Server): Promise<void> {
  const closed = closeServer(server);
  server.closeAllConnections();
  return closed;
}

function overLimit(request: IncomingMessage): 414 | 431 | undefined {
  const requestLine = `${request.method} ${request.url} HTTP/1.1\r\n`;
  if (requestLine.length > maxRequestLineBytes) return 414;
  const headerBytes = request.rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
  return headerBytes > maxHeaderBytes || request.rawHeaders.length / 2 > maxHeaders ? 431 : undefined;
}

/**
 * Answers as the real host does: its admin endpoints, then the first function whose verb and route fit, else an empty 404. The check of the
 * Host header is its own: in Azure the platform's front end sends on only what is for the app.
 */
export function functionsHandler(app: FunctionApp, invoker: Invoker): Handler {
  return async (request, response) => {
    try {
      const target = readRequestTarget(request.url ?? "/");
      if (target === undefined || !hasUsableHost(request)) return send(response, { status: 400 });
      if (!isForThisMachine(request)) return sendText(response, 421, notThisMachine);
      if (await answerAdmin(request, response, target, app, invoker)) return;
      const route = findRoute(app.http, request.method ?? "", target.path);
      if (route === undefined || route.definition.disabled) return send(response, { status: 404 });
      await answer(request, response, target, route, invoker);
    } catch (error) {
      logLine(`HTTP: ${describeError(error)}`);
      if (!response.headersSent) send(response, { status: 500 });
    }
  };
}

type Route = { readonly definition: HttpFunction; readonly params: Readonly<Record<string, string>> };

function findRoute(functions: readonly HttpFunction[], method: string, path: string): Route | undefined {
  for (const definition of functions) {
    if (!definition.methods.includes(method.toUpperCase())) continue;
    const params = definition.route.match(path);
    if (params !== undefined) return { definition, params };
  }
  return undefined;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  target: RequestTarget,
  { definition, params }: Route,
  invoker: Invoker,
): Promise<void> {
  try {
    const http = toRpcHttp(request, target, params, await readBody(request));
    const { registration, triggerName } = definition;
    send(response, fromReturnValue(await invoker.invoke({ registration, triggerName, data: { http } })));
  } catch (error) {
    if (request.destroyed && !request.complete) return;
    logLine(`${definition.name} failed: ${describeError(error)}`);
    // A failed run says nothing of itself to the client: no header that it meant to set, no body.
    send(response, { status: 500 });
  }
}
