import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { getCACertificates } from "node:tls";
import { LineError } from "./errors.ts";
import { lineFailure, proxyWantsCredentials } from "./lineErrors.ts";
import { proxySettings } from "./proxy.ts";
import { paced, type RateLimiter } from "./rateLimit.ts";
import { pause } from "./retry.ts";

/**
 * The line: HTTP exchanges over kept-alive connections, through the proxy that the environment names. It is `node:http` and
 * not `fetch` for two reasons: a timer that runs only while no byte moves (8 MiB take minutes on a thin line), and bodies
 * that are not copied (a third of the time).
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

/** Sends one request and reads the whole answer. Throws `ConnectionError`, `LineError`, or the signal's reason once it is aborted. */
export type Exchange = (request: WireRequest) => Promise<WireAnswer>;

export type LineOptions = {
  /** Where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are looked up. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** PEM of certificates to trust beside those that Node trusts, `NODE_EXTRA_CA_CERTS` included. */
  readonly ca?: string | undefined;
  /** Holds the bodies that are sent under a rate. */
  readonly limiter?: RateLimiter | undefined;
  /** Longest silence in milliseconds, in either direction, before a connection counts as dropped. */
  readonly longestSilenceMs?: number;
};

/** Opens a line; nothing is sent yet. Throws `TypeError` where the environment names something that is no proxy. */
export function openLine(options: LineOptions = {}): Exchange {
  const { environment = process.env, ca, limiter, longestSilenceMs = 60_000 } = options;
  const proxyEnv = proxySettings(environment);
  if (proxyEnv !== undefined && !knowsProxies()) throw new LineError("ProxyUnsupported", needsNewerNode);
  const settings = {
    keepAlive: true,
    // On the agent too: only there does it cover connecting, and a proxy's CONNECT.
    timeout: longestSilenceMs,
    ...(proxyEnv === undefined ? {} : { proxyEnv }),
  };
  const agents = {
    http: new HttpAgent(settings),
    https: new HttpsAgent({ ...settings, ...(ca === undefined ? {} : { ca: [...getCACertificates(), ca] }) }),
  };

  return async (request) => {
    request.signal?.throwIfAborted();
    try {
      return await exchanged(request);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw lineFailure(error);
    }
  };

  async function exchanged(request: WireRequest): Promise<WireAnswer> {
    const secure = request.url.startsWith("https:");
    const { method, url, headers, body, signal } = request;
    const outgoing = (secure ? httpsRequest : httpRequest)(url, {
      method,
      agent: secure ? agents.https : agents.http,
      headers: body === undefined ? headers : { ...headers, "content-length": String(body.byteLength) },
      ...(signal === undefined ? {} : { signal }),
    });
    outgoing.setTimeout(longestSilenceMs, () =>
      outgoing.destroy(new Error(`silent for ${longestSilenceMs / 1000} seconds`)),
    );
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on("error", reject);
      outgoing.on("response", resolve);
      if (body === undefined || limiter === undefined) outgoing.end(body);
      else pipeline(Readable.from(paced(body, limiter, (ms) => pause(ms, signal))), outgoing).catch(reject);
    });
    const answer = {
      status: response.statusCode ?? 0,
      headers: headersOf(response),
      body: await buffer(response),
    };
    // An answer that came before the body's end is a refusal: the rest would be sent for nothing.
    if (!outgoing.writableFinished) outgoing.destroy();
    if (answer.status === 407) throw proxyWantsCredentials();
    return answer;
  }
}

/** `proxyEnv` came with this flag (Node 24.5, 22.21); older ones ignore it in silence. */
const knowsProxies = (): boolean => process.allowedNodeEnvironmentFlags.has("--use-env-proxy");

const needsNewerNode = `A proxy is set, and Node ${process.version} cannot use one: Node 24.5 or later can`;

function headersOf(response: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return headers;
}
