import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  asksForLong,
  backOffMs,
  isTransient,
  type RetryNotice,
  retryAfterMs,
  retrying,
  Transient,
} from "../../../client/retry.ts";

const quick = { tries: 4, firstDelayMs: 1, longestDelayMs: 2 };
const failure = new Error("out of order");

describe("retrying", () => {
  test("goes on until a try succeeds, and says each time why", async () => {
    const notices: RetryNotice[] = [];
    let tries = 0;
    const result = await retrying(
      async () => {
        tries += 1;
        if (tries < 3) throw new Transient(failure);
        return "done";
      },
      { policy: quick, onRetry: (notice) => notices.push(notice) },
    );
    expect(result).toBe("done");
    expect(notices).toMatchObject([
      { attempt: 1, tries: 4, reason: failure },
      { attempt: 2, tries: 4, reason: failure },
    ]);
  });

  test("ends after its tries with the failure itself", async () => {
    let tries = 0;
    const attempt = async () => {
      tries += 1;
      throw new Transient(failure);
    };
    await expect(retrying(attempt, { policy: quick })).rejects.toBe(failure);
    expect(tries).toBe(4);
  });

  test("does not repeat what another try would not change", async () => {
    let tries = 0;
    const attempt = async () => {
      tries += 1;
      throw failure;
    };
    await expect(retrying(attempt, { policy: quick })).rejects.toBe(failure);
    expect(tries).toBe(1);
  });

  test("waits at least as long as it was asked to", async () => {
    const notices: RetryNotice[] = [];
    const signal = AbortSignal.abort(new Error("stopped"));
    const attempt = async () => {
      throw new Transient(failure, 90_000);
    };
    await expect(
      retrying(attempt, { policy: quick, signal, onRetry: (notice) => notices.push(notice) }),
    ).rejects.toThrow("stopped");
    expect(notices[0]?.delayMs).toBe(90_000);
  });

  test("stops in the middle of a wait, with the signal's reason", async () => {
    const stop = new AbortController();
    const attempt = async () => {
      throw new Transient(failure);
    };
    const endless = { tries: 2, firstDelayMs: 3_600_000, longestDelayMs: 3_600_000 };
    const result = retrying(attempt, {
      policy: endless,
      signal: stop.signal,
      onRetry: () => stop.abort(new Error("enough")),
    });
    await expect(result).rejects.toThrow("enough");
  });
});

test("back-off doubles up to its bound, and is spread over its upper half", () => {
  const policy = { tries: 20, firstDelayMs: 500, longestDelayMs: 60_000 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 19 }), fc.double({ min: 0, max: 1, noNaN: true }), (made, random) => {
      const full = Math.min(60_000, 500 * 2 ** (made - 1));
      const delay = backOffMs(made, policy, random);
      expect(delay).toBeGreaterThanOrEqual(full / 2);
      expect(delay).toBeLessThanOrEqual(full);
    }),
  );
});

test("408, 429 and every 5xx are worth another try, and nothing else", () => {
  expect([408, 429, 500, 502, 503, 504].every(isTransient)).toBe(true);
  expect([200, 400, 401, 403, 404, 409, 412].some(isTransient)).toBe(false);
});

test.each([
  ["7", 7_000],
  ["Sun, 22 Nov 2026 12:00:30 GMT", 30_000],
  ["Sun, 22 Nov 2026 11:00:00 GMT", 0],
  ["soon", 0],
  ["999999", 600_000],
])("Retry-After: %s is read", (value, expected) => {
  expect(retryAfterMs(new Headers({ "retry-after": value }), new Date("2026-11-22T12:00:00Z"))).toBe(expected);
});

test("without Retry-After nothing is asked for", () => {
  expect(retryAfterMs(new Headers(), new Date())).toBe(0);
});

describe("a wait that is asked for", () => {
  test.each([
    ["300", false],
    ["600", false],
    ["601", true],
    ["43200", true],
    ["Mon, 23 Nov 2026 13:00:00 GMT", true],
    ["Mon, 23 Nov 2026 12:05:00 GMT", false],
    ["soon", false],
  ])("of %s is long: %s", (value, long) => {
    expect(asksForLong(new Headers({ "retry-after": value }), new Date("2026-11-23T12:00:00Z"))).toBe(long);
  });
});
