import { describe, expect, test } from "vitest";
import { blockSizing } from "../../../client/blockSize.ts";

const [kib, mib] = [1024, 1024 * 1024];
const bounds = { smallestBytes: 256 * kib, largestBytes: 8 * mib };

/** Sends so many bytes in blocks of the size in force, at that speed. */
function send(sizing: ReturnType<typeof blockSizing>, bytes: number, bytesPerMs = 100 * kib): void {
  for (let left = bytes; left > 0; ) {
    const block = Math.min(left, sizing.next());
    sizing.arrived(block, block / bytesPerMs);
    left -= block;
  }
}

describe("the size of blocks", () => {
  test("begins well below the largest, and reaches it on a line that is never cut", () => {
    const sizing = blockSizing(bounds);
    expect(sizing.next()).toBeLessThan(2 * mib);
    send(sizing, 64 * mib);
    expect(sizing.next()).toBeGreaterThan(2 * mib);
    send(sizing, 512 * mib);
    expect(sizing.next()).toBe(8 * mib);
  });

  test.each([16, 64, 256])("settles where a cut each %d MiB costs about a percent", (mibBetweenCuts) => {
    const sizing = blockSizing(bounds);
    for (let cuts = 0; cuts < 40; cuts += 1) {
      send(sizing, mibBetweenCuts * mib);
      sizing.cut();
    }
    const lostShare = sizing.next() / 2 / (mibBetweenCuts * mib);
    expect(lostShare).toBeGreaterThan(0.008);
    expect(lostShare).toBeLessThan(0.012);
  });

  test("never falls below the smallest, where the line is cut all the time", () => {
    const sizing = blockSizing(bounds);
    for (let cuts = 0; cuts < 1000; cuts += 1) sizing.cut();
    expect(sizing.next()).toBe(256 * kib);
  });

  test("is what a slow line carries in ten seconds", () => {
    const sizing = blockSizing(bounds);
    // A quarter of 5 Mbps: one of four lanes.
    const bytesPerMs = 5_000_000 / 8 / 4 / 1000;
    send(sizing, 256 * mib, bytesPerMs);
    expect(sizing.next()).toBeCloseTo(bytesPerMs * 10_000, -1);
    send(sizing, 512 * mib);
    expect(sizing.next()).toBe(8 * mib);
  });

  test("takes a block that needed no time for a fast one", () => {
    const sizing = blockSizing(bounds);
    sizing.arrived(mib, 0);
    expect(Number.isFinite(sizing.next())).toBe(true);
    expect(sizing.next()).toBeGreaterThan(mib);
  });

  test("stays where both bounds are one", () => {
    const sizing = blockSizing({ smallestBytes: 4 * kib, largestBytes: 4 * kib });
    send(sizing, mib);
    sizing.cut();
    expect(sizing.next()).toBe(4 * kib);
  });
});
