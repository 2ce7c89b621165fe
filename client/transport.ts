import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { buffer } from "node:stream/consumers";

/**
 * One HTTP exchange over a kept-alive connection. It is `node:http` and not `fetch` for two reasons: a timer that runs
 * only while no byte moves (8 MiB take minutes on a thin line), and bodies that are not copied (a third of the time).
 */

export type WireRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type WireAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
};

/** The connection failed or stalled before a whole answer came; `cause` says how. */
export class ConnectionError extends Error {
  /** Nothing was reached at all, so the address itself may be out of date. */
  readonly nobodyThere: boolean;

  constructor(cause: Error) {
    super(cause.message, { cause });
    this.name = "ConnectionError";
    this.nobodyThere =
      "code" in cause && ["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH"].includes(String(cause.code));
  }
}

/** Longest silence in milliseconds, in either direction, before a connection counts as dropped. */
const longestSilenceMs = 60_000;

const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };

/** Sends one request and reads the whole answer. Throws `ConnectionError`, or the signal's reason once it is aborted. */
export async function exchange(request: WireRequest): Promise<WireAnswer> {
  request.signal?.throwIfAborted();
  try {
    const response = await send(request);
    const body = await buffer(response);
    return { status: response.statusCode ?? 0, headers: headersOf(response), body };
  } catch (error) {
    request.signal?.throwIfAborted();
    throw new ConnectionError(error instanceof Error ? error : new Error(String(error)));
  }
}

function send({ method, url, headers, body, signal }: WireRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const secure = url.startsWith("https:");
    const outgoing = (secure ? httpsRequest : httpRequest)(url, {
      method,
      agent: secure ? agents.https : agents.http,
      headers: body === undefined ? headers : { ...headers, "content-length": String(body.byteLength) },
      ...(signal === undefined ? {} : { signal }),
    });
    outgoing.setTimeout(longestSilenceMs, () =>
      outgoing.destroy(new Error(`silent for ${longestSilenceMs / 1000} seconds`)),
    );
    outgoing.on("error", reject);
    outgoing.on("response", resolve);
    outgoing.end(body);
  });
}

function headersOf(response: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return headers;
}
