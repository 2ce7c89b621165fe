import { Agent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";

/** Plain HTTP without the courtesies of `fetch`: the path goes out as it is written, headers may be wrong, bodies may be chunked. */

export type RawRequest = {
  readonly method: string;
  /** Path and query, sent as they are. */
  readonly path: string;
  /** An array sends the header more than once. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | string | undefined;
  /** Sends the body without a length. */
  readonly chunked?: boolean;
};

export type Answer = {
  readonly status: number;
  /** Names in lower case; what came more than once is joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
  /** The body as JSON. Throws where it is none. */
  readonly json: unknown;
};

/** A connection for each request: one that was kept could be closed by storage, which keeps it for five seconds, just as it is taken again. */
const lines = {
  "http:": { agent: new Agent({ keepAlive: false, maxSockets: 64 }), request: requestHttp },
  "https:": { agent: new HttpsAgent({ keepAlive: false, maxSockets: 64 }), request: requestHttps },
} as const;
const answerLimitMilliseconds = 60_000;

/** Nothing came in time. The query is left out: it may hold a signature. */
class NoAnswer extends Error {
  readonly code = "NoAnswer";

  constructor(method: string, path: string) {
    super(`No answer: ${method} ${path.split("?")[0]}`);
  }
}

/** Sends one request to `origin` and reads its whole answer. Throws where the line drops before that. */
export function send(origin: string, { method, path, headers = {}, body, chunked }: RawRequest): Promise<Answer> {
  const { hostname, port, protocol } = new URL(origin);
  const { agent, request } = lines[protocol === "https:" ? protocol : "http:"];
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const outgoing = request({
    agent,
    hostname,
    port,
    method,
    path,
    headers: { ...withLength(headers, bytes, chunked), ...mutable(headers) },
    timeout: answerLimitMilliseconds,
  });
  return new Promise((resolve, reject) => {
    outgoing.once("error", reject);
    outgoing.once("timeout", () => outgoing.destroy(new NoAnswer(method, path)));
    outgoing.once("response", (incoming) => resolve(readAnswer(incoming)));
    if (bytes !== undefined && chunked === true) outgoing.write(bytes);
    outgoing.end(chunked === true ? undefined : bytes);
  });
}

function withLength(headers: object, bytes: Uint8Array | undefined, chunked = false): Record<string, string> {
  const named = Object.keys(headers).map((name) => name.toLowerCase());
  // Node chunks the bodies of some verbs only, and would send those of the others bare: the next request of the connection to their reader.
  if (bytes !== undefined && chunked) return { "transfer-encoding": "chunked" };
  if (bytes === undefined || named.includes("content-length")) return {};
  return { "content-length": String(bytes.byteLength) };
}

function mutable(headers: NonNullable<RawRequest["headers"]>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
  );
}

async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  const text = body.toString("utf8");
  return {
    status: incoming.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(", ") : `${value}`,
      ]),
    ),
    body,
    text,
    get json(): unknown {
      return JSON.parse(text);
    },
  };
}
