import { describe, expect, test } from "vitest";
import { bytesPerSecondOf, paced, rateLimiter } from "../../../client/rateLimit.ts";

describe("a limit on the rate", () => {
  test("spreads what is booked evenly, and saves nothing up", () => {
    const limiter = rateLimiter(1000);
    expect(limiter.book(500, 10_000)).toBe(0);
    expect(limiter.book(500, 10_000)).toBe(500);
    expect(limiter.book(100, 10_400)).toBe(600);
    expect(limiter.book(100, 60_000)).toBe(0);
    expect(limiter.book(100, 60_000)).toBe(100);
  });

  test("holds over two bodies that are sent side by side", async () => {
    const clock = { ms: 0 };
    const limiter = rateLimiter(10_000);
    const sentAt: { ms: number; bytes: number }[] = [];
    let atMs = 0;
    const wait = async (delayMs: number): Promise<void> => {
      atMs = clock.ms + delayMs;
    };
    const bodies = [Buffer.alloc(5_000), Buffer.alloc(5_000)].map((body) => paced(body, limiter, wait, () => clock.ms));
    for (let open = bodies; open.length > 0; ) {
      const still: typeof open = [];
      for (const body of open) {
        const { value, done } = await body.next();
        if (done) continue;
        sentAt.push({ ms: atMs, bytes: value.byteLength });
        still.push(body);
      }
      open = still;
    }
    expect(sentAt.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(10_000);
    for (const [place, { ms }] of sentAt.entries()) expect(ms).toBe(place * 100);
    expect(Math.max(...sentAt.map(({ bytes }) => bytes))).toBe(1000);
  });

  test("sends at least a byte at a time, however slow", async () => {
    const parts: Uint8Array[] = [];
    for await (const part of paced(
      Buffer.from("abc"),
      rateLimiter(1),
      async () => undefined,
      () => 0,
    ))
      parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe("abc");
  });
});

describe("a rate as a person writes it", () => {
  test.each([
    ["5m", 5 * 1024 * 1024],
    ["500K", 500 * 1024],
    ["1.5g", 1.5 * 1024 ** 3],
    ["64000", 64_000],
    ["5mbit", 625_000],
    ["800kbit", 100_000],
    ["1Gbit", 125_000_000],
  ])("%s is %d bytes a second", (text, bytes) => {
    expect(bytesPerSecondOf(text)).toBe(bytes);
  });

  test.each(["", "0", "m", "-5m", "5 mbps", "5mb", "ten", "1e6", "0.5"])("%j is none", (text) => {
    expect(bytesPerSecondOf(text)).toBeUndefined();
  });
});
