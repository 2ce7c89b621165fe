import { randomBytes } from "node:crypto";
import { z } from "zod";
import { type CorrectedClock, correctedClock } from "./clock.ts";
import { RefusedError, UnreachableError } from "./errors.ts";
import { ConnectionError } from "./lineErrors.ts";
import {
  asksForLong,
  interactive,
  isTransient,
  type RetryNotice,
  type RetryPolicy,
  retryAfterMs,
  retrying,
  Transient,
} from "./retry.ts";
import { type SigningKey, signedHeaders, type UnsignedRequest } from "./signing.ts";
import { type Exchange, openLine, type WireAnswer } from "./transport.ts";
import { userAgent } from "./version.ts";

/** One call of the HTTP contract (`API.md`): signed or with a token, retried, refused in the contract's own words. */

const apiVersion = "2026-11-01";

/** The headers that say who asks; made anew for each try, because a signature works once. */
export type Credential = (request: UnsignedRequest, now: Date) => Promise<Record<string, string>>;

export const asStamp =
  (key: SigningKey): Credential =>
  (request, now) =>
    signedHeaders(request, key, now);

export const asBearer =
  (token: string): Credential =>
  async ({ body }) => ({
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  });

export const asAnyone: Credential = async () => ({});

export type Service = {
  readonly origin: string;
  readonly credential: Credential;
  readonly clock: CorrectedClock;
  /** Joins, in the service's log, the calls of one command that are not about a bundle: 32 hexadecimal digits (W3C Trace Context). */
  readonly traceId: string;
  /** The line to it, and to its storage. */
  readonly exchange: Exchange;
  readonly retry: RetryPolicy;
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
};

/** Shared by those who bring none, as connections are kept alive in it; opened when first needed, as it reads the environment. */
let opened: Exchange | undefined;
function usualLine(): Exchange {
  opened ??= openLine();
  return opened;
}

/** A service at this origin. Nothing is sent yet. Throws as `openLine` does where no line is given. */
export const connect = (
  origin: string,
  credential: Credential,
  options: Partial<Pick<Service, "clock" | "traceId" | "exchange" | "retry" | "onRetry">> = {},
): Service => ({
  origin,
  credential,
  clock: correctedClock(),
  traceId: randomBytes(16).toString("hex"),
  exchange: options.exchange ?? usualLine(),
  retry: interactive,
  ...options,
});

export type Call<T> = {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Path with its query, or the absolute URL of a `nextLink`. */
  readonly path: string;
  readonly body?: unknown;
  readonly answer: z.ZodType<T>;
  readonly signal?: AbortSignal | undefined;
};

export type Answer<T> = { readonly value: T; readonly retryAfterMs: number };

/**
 * Calls an operation; 408, 429, 5xx and dropped connections are tried again, each try with a new signature.
 * Throws `RefusedError` with the service's code, `UnreachableError`, or the signal's reason.
 */
export async function call<T>(service: Service, request: Call<T>): Promise<Answer<T>> {
  const unsigned = unsignedRequest(service.origin, request);
  const answer = await retrying(() => attempt(service, unsigned, request.signal), {
    policy: service.retry,
    signal: request.signal,
    onRetry: service.onRetry,
  });
  return { value: parsed(request, answer), retryAfterMs: retryAfterMs(answer.headers, service.clock.now()) };
}

/** Every item of a list, page after page. */
export async function* listed<T>(service: Service, request: Omit<Call<T>, "method">): AsyncGenerator<T> {
  const page = z.object({ value: z.array(request.answer), nextLink: z.string().optional() });
  for (let path: string | undefined = request.path; path !== undefined; ) {
    const { value }: Answer<z.infer<typeof page>> = await call(service, {
      ...request,
      method: "GET",
      path,
      answer: page,
    });
    yield* value.value;
    path = value.nextLink;
  }
}

function unsignedRequest(origin: string, { method, path, body }: Call<unknown>): UnsignedRequest {
  const url = new URL(path, origin);
  if (!url.searchParams.has("api-version")) url.searchParams.set("api-version", apiVersion);
  return {
    method,
    url: url.href,
    body: body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body)),
  };
}

async function attempt(
  service: Service,
  request: UnsignedRequest,
  signal: AbortSignal | undefined,
): Promise<WireAnswer> {
  const traceId = traceIdOf(service, request);
  const answer = await signedExchange(service, request, signal);
  if (answer.status < 400) return answer;
  const refusal = refusedBy(traceId, answer);
  if (answer.status === 429 && asksForLong(answer.headers, service.clock.now())) throw refusal;
  if (isTransient(answer.status)) throw new Transient(refusal, retryAfterMs(answer.headers, service.clock.now()));
  if (!blamesTheClock(refusal) || !service.clock.learn(answer.headers)) throw refusal;
  const again = await signedExchange(service, request, signal);
  if (again.status < 400) return again;
  throw isTransient(again.status) ? new Transient(refusedBy(traceId, again)) : refusedBy(traceId, again);
}

async function signedExchange(
  service: Service,
  request: UnsignedRequest,
  signal: AbortSignal | undefined,
): Promise<WireAnswer> {
  const credential = await service.credential(request, service.clock.now());
  const headers = {
    accept: "application/json",
    "user-agent": userAgent,
    traceparent: traceparentOf(service, request),
    ...credential,
  };
  try {
    return await service.exchange({ ...request, headers, signal });
  } catch (error) {
    if (error instanceof ConnectionError) throw new Transient(new UnreachableError(service.origin, error));
    throw error;
  }
}

const ofBundle = /\/(?:bundles|imports)\/([0-9a-f-]{36})(?![0-9a-f-])/;

/** All that is done of a bundle is one trace, whichever commands do it: the bundle's id names it. */
const traceIdOf = ({ traceId }: Service, { url }: UnsignedRequest): string =>
  ofBundle.exec(url)?.[1]?.replaceAll("-", "") ?? traceId;

/** Each try is a step of its own. */
const traceparentOf = (service: Service, request: UnsignedRequest): string =>
  `00-${traceIdOf(service, request)}-${randomBytes(8).toString("hex")}-01`;

const blamesTheClock = ({ status, code }: RefusedError): boolean =>
  status === 401 && (code === "SignatureExpired" || code === "SignatureNotYetValid");

const detail = z.object({ code: z.string(), message: z.string(), target: z.string().optional() });
const envelope = z.object({ error: detail.extend({ details: z.array(detail).optional() }) });

function refusedBy(traceId: string, { status, headers, body }: WireAnswer): RefusedError {
  const requestId = headers.get("x-ms-request-id") ?? undefined;
  const told = envelope.safeParse(jsonOf(body));
  if (told.success) return new RefusedError({ ...told.data.error, status, requestId, traceId });
  const code = headers.get("x-ms-error-code") ?? `Http${status}`;
  return new RefusedError({
    status,
    code,
    message: `The service answered ${status} without saying why.`,
    requestId,
    traceId,
  });
}

function parsed<T>({ method, path, answer }: Call<T>, { body }: WireAnswer): T {
  const result = answer.safeParse(jsonOf(body));
  if (result.success) return result.data;
  throw new Error(`The answer to ${method} ${path} is not what the contract says: ${z.prettifyError(result.error)}`);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
