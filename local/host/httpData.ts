import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { joinedQuery, type RequestTarget } from "./requestTarget.ts";

/** Kestrel's limit in the Functions host, in bytes. */
export const maxBodyBytes = 104_857_600;

const nullable = (values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));

/** Headers that come twice are joined by a comma, and every name is lower-case, as the real host sends them. */
function joinedHeaders(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values]) => [name, (values ?? []).join(",")]),
  );
}

/**
 * The request as the host's `RpcHttp` message. The URL keeps the query as sent, while the query map joins duplicate keys by a comma.
 * `X-Forwarded-*` has no say in the URL: scheme and host are the connection's own.
 */
export function toRpcHttp(
  request: IncomingMessage,
  target: RequestTarget,
  params: Readonly<Record<string, string>>,
  body: Uint8Array | undefined,
): object {
  return {
    method: request.method,
    url: `${requestOrigin(request)}${target.encodedPath}${target.query}`,
    nullableHeaders: nullable(joinedHeaders(request)),
    nullableQuery: nullable(joinedQuery(target.query)),
    nullableParams: nullable(params),
    ...(body === undefined ? {} : { body: { bytes: body } }),
  };
}

export const requestOrigin = (request: IncomingMessage): string =>
  `http://${request.headers.host || `127.0.0.1:${request.socket.localPort}`}`;

/** A DNS name has at most 253 characters. The parser of URLs takes quadratic time for a longer one. */
const longestOrigin = "http://".length + 253 + ":65535".length;

/** Whether one Host header is a name or an address and a port, as Kestrel asks: one with `/` or `@` in it would bend the URL. */
export const hasUsableHost = (request: IncomingMessage): boolean => {
  if ((request.headersDistinct.host ?? []).length > 1) return false;
  const origin = requestOrigin(request);
  if (origin.length > longestOrigin) return false;
  return /^http:\/\/(?:\[[\da-f:.]+\]|[\w.~%!$&'()*+,;=-]+)(?::\d*)?$/i.test(origin) && URL.canParse(origin);
};

/**
 * Reads a body that has a length. A chunked one **arrives empty**, as in the real host, which asks for `Content-Length > 0`.
 * Throws over 104,857,600 bytes.
 */
export async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const length = Number(request.headers["content-length"] ?? 0);
  if (length === 0) return undefined;
  if (length > maxBodyBytes) throw new Error(`The body is over ${maxBodyBytes} bytes.`);
  return Buffer.concat(await request.toArray());
}

const httpReturnValue = z
  .object({
    http: z.object({
      statusCode: z.coerce.number(),
      headers: z.record(z.string(), z.string()),
      cookies: z.array(z.unknown()),
      body: z.object({ bytes: z.instanceof(Uint8Array) }).nullish(),
    }),
  })
  .nullish();

/** What is to be sent: 204 for a function that returned nothing. Throws where the real host fails to answer. */
export function fromReturnValue(returnValue: unknown): {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
} {
  const parsed = httpReturnValue.parse(returnValue);
  const nothing = new Uint8Array();
  if (parsed === null || parsed === undefined) return { status: 204, headers: {}, body: nothing };
  const { statusCode, headers, cookies, body } = parsed.http;
  if (cookies.length > 0) throw new Error("The embedded host sends no cookies.");
  for (const [name, value] of Object.entries(headers)) {
    // Kestrel refuses these and the client gets a 500, so it does here.
    if (!/^[\t\x20-\x7e]*$/.test(value))
      throw new Error(`Response header ${name}: invalid non-ASCII or control character.`);
  }
  return { status: statusCode, headers, body: body?.bytes ?? nothing };
}

const bodiless = new Set([204, 205, 304]);

/** Sends an answer with its own length; what the function said of length and transfer is the server's business. */
export function send(
  response: ServerResponse,
  { status, headers, body }: { status: number; headers?: Record<string, string>; body?: Uint8Array },
): void {
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (!["content-length", "transfer-encoding", "connection", "keep-alive"].includes(name))
      response.setHeader(name, value);
  }
  if (!bodiless.has(status)) response.setHeader("content-length", body?.byteLength ?? 0);
  response.statusCode = status;
  response.end(bodiless.has(status) ? undefined : body);
}

/** For whoever reads it in a terminal or a browser; what the real host answers itself has no body. */
export const sendText = (response: ServerResponse, status: number, text: string): void =>
  send(response, { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: Buffer.from(text) });
