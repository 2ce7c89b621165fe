/** Holds the bytes that are sent under a rate: each part is told how long to wait, and all lanes of an upload share one limiter. */
export type RateLimiter = {
  readonly bytesPerSecond: number;
  /** Books that many bytes and gives the milliseconds to wait before sending them. */
  readonly book: (bytes: number, nowMs: number) => number;
};

/** A limiter without a burst: what was not used is not saved up, since a line's other users feel bursts. */
export function rateLimiter(bytesPerSecond: number): RateLimiter {
  let freeAtMs = Number.NEGATIVE_INFINITY;
  return {
    bytesPerSecond,
    book: (bytes, nowMs) => {
      const startMs = Math.max(freeAtMs, nowMs);
      freeAtMs = startMs + (bytes * 1000) / bytesPerSecond;
      return startMs - nowMs;
    },
  };
}

const largestPartBytes = 64 * 1024;
const partsPerSecond = 10;

/** The body in parts of at most a tenth of a second each, every one after its wait. */
export async function* paced(
  body: Uint8Array,
  limiter: RateLimiter,
  wait: (delayMs: number) => Promise<void>,
  now: () => number = performance.now.bind(performance),
): AsyncGenerator<Uint8Array> {
  const partBytes = Math.max(1, Math.min(largestPartBytes, Math.floor(limiter.bytesPerSecond / partsPerSecond)));
  for (let at = 0; at < body.byteLength; at += partBytes) {
    const part = body.subarray(at, at + partBytes);
    await wait(limiter.book(part.byteLength, now()));
    yield part;
  }
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  kbit: 1000 / 8,
  mbit: 1000 ** 2 / 8,
  gbit: 1000 ** 3 / 8,
};

/**
 * Bytes per second as a person writes them: `500k`, `5m` are bytes in powers of 1024, as curl's `--limit-rate` takes them;
 * `4mbit` is bits in powers of 1000, as a line is sold. `undefined` where it is neither.
 */
export function bytesPerSecondOf(text: string): number | undefined {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)(|[kmg]|[kmg]bit)$/i.exec(text.trim()) ?? [];
  const rate = Number(number) * (units[unit.toLowerCase()] ?? 0);
  return rate >= 1 ? rate : undefined;
}
