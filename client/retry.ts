import { setTimeout as sleep } from "node:timers/promises";

/** Exponential back-off with jitter, bounded in tries; what the other side asks for in `Retry-After` is the least it waits. */

export type RetryPolicy = {
  readonly tries: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
};

/** A few seconds in all: for commands that somebody waits for. */
export const interactive: RetryPolicy = { tries: 4, firstDelayMs: 500, longestDelayMs: 8_000 };

/** About six minutes in all: for uploads of gigabytes, which should outlive a line that drops. */
export const patient: RetryPolicy = { tries: 14, firstDelayMs: 500, longestDelayMs: 60_000 };

/** A try that failed and is about to be repeated. */
export type RetryNotice = {
  readonly attempt: number;
  readonly tries: number;
  readonly delayMs: number;
  readonly reason: Error;
};

/** Thrown by a try to ask for another one; `failure` is what the caller sees when there is none left. */
export class Transient extends Error {
  readonly failure: Error;
  readonly retryAfterMs: number;

  constructor(failure: Error, retryAfterMs = 0) {
    super(failure.message, { cause: failure });
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
  }
}

export type RetryOptions = {
  readonly policy: RetryPolicy;
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
};

/** Runs `attempt` until it returns, throws something that is not `Transient`, or has used up its tries. */
export async function retrying<T>(attempt: () => Promise<T>, { policy, signal, onRetry }: RetryOptions): Promise<T> {
  for (let made = 1; ; made += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      if (made >= policy.tries) throw error.failure;
      const delayMs = Math.max(error.retryAfterMs, backOffMs(made, policy, Math.random()));
      onRetry?.({ attempt: made, tries: policy.tries, delayMs, reason: error.failure });
      await pause(delayMs, signal);
    }
  }
}

/** Waits that long. Throws the signal's own reason when it is aborted. */
export async function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Milliseconds to wait after that many tries: doubling, and between half and all of it, so that stamps do not return in step. */
export function backOffMs(triesMade: number, { firstDelayMs, longestDelayMs }: RetryPolicy, random: number): number {
  const full = Math.min(longestDelayMs, firstDelayMs * 2 ** (triesMade - 1));
  return full * (0.5 + random / 2);
}

/** Whether an answer with this status is worth another try: 408, 429 and every 5xx. */
export const isTransient = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** Longest wait in milliseconds that a `Retry-After` is followed for. */
const longestRetryAfterMs = 10 * 60_000;

/** Milliseconds that a `Retry-After` header asks for, as far as it is followed: seconds or an HTTP date (RFC 9110, 10.2.3); 0 without one. */
export const retryAfterMs = (headers: Headers, now: Date): number =>
  Math.min(askedForMs(headers, now), longestRetryAfterMs);

/** Whether the other side asks for a wait so long that a person should hear of it instead: until a day's count begins anew, say. */
export const asksForLong = (headers: Headers, now: Date): boolean => askedForMs(headers, now) > longestRetryAfterMs;

function askedForMs(headers: Headers, now: Date): number {
  const value = headers.get("retry-after")?.trim() ?? "";
  const asked = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now.getTime();
  return Number.isNaN(asked) ? 0 : Math.max(asked, 0);
}
