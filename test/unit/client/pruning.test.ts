import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Candidate, choosePruning } from "../../../client/pruning.ts";

/** What `stamp prune` deletes, and what it never does. */

const dayMs = 86_400_000;
const now = new Date("2026-11-22T12:00:00Z");
const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs);
const bundle = (name: string, days: number, sizeBytes: number, sent = true): Candidate => ({
  name,
  savedOn: daysAgo(days),
  sizeBytes,
  sent,
});

const gone = (saved: readonly Candidate[], limits: { maxAgeMs?: number; maxBytes?: number; unsent?: boolean }) => {
  const { choices, ...sums } = choosePruning(saved, { unsent: false, ...limits }, now);
  return { told: choices.map(({ of, goes, why }) => `${of.name} ${goes ? "goes" : "stays"}: ${why}`), ...sums };
};

describe("by age", () => {
  const saved = [bundle("new", 29, 10), bundle("old", 31, 10), bundle("oldest unsent", 40, 10, false)];

  test("deletes what is older and was sent", () => {
    expect(gone(saved, { maxAgeMs: 30 * dayMs })).toEqual({
      told: ["oldest unsent stays: notSent", "old goes: age", "new stays: within"],
      bytesFreed: 10,
      bytesLeft: 20,
      isOverLimit: true,
    });
  });

  test("deletes what was never sent only when told so", () => {
    expect(gone(saved, { maxAgeMs: 30 * dayMs, unsent: true })).toMatchObject({
      told: ["oldest unsent goes: age", "old goes: age", "new stays: within"],
      isOverLimit: false,
    });
  });

  test("keeps what is just that old", () => {
    expect(gone([bundle("on the day", 30, 1)], { maxAgeMs: 30 * dayMs }).told).toEqual(["on the day stays: within"]);
  });
});

describe("by size", () => {
  test("deletes the oldest until the rest fits", () => {
    const saved = [bundle("c", 1, 40), bundle("a", 3, 40), bundle("b", 2, 40)];
    expect(gone(saved, { maxBytes: 80 }).told).toEqual(["a goes: size", "b stays: within", "c stays: within"]);
    expect(gone(saved, { maxBytes: 79 }).told).toEqual(["a goes: size", "b goes: size", "c stays: within"]);
  });

  test("goes past what was never sent, and is content where the rest suffices", () => {
    const saved = [bundle("unsent", 3, 40, false), bundle("b", 2, 40), bundle("c", 1, 40)];
    expect(gone(saved, { maxBytes: 80 })).toMatchObject({
      told: ["unsent stays: within", "b goes: size", "c stays: within"],
      isOverLimit: false,
    });
  });

  test("says so where what was never sent is too much by itself", () => {
    const saved = [bundle("unsent", 3, 90, false), bundle("b", 2, 40)];
    expect(gone(saved, { maxBytes: 80 })).toEqual({
      told: ["unsent stays: notSent", "b goes: size"],
      bytesFreed: 40,
      bytesLeft: 90,
      isOverLimit: true,
    });
  });

  test("counts only what age has left", () => {
    const saved = [bundle("old", 31, 40), bundle("b", 2, 40), bundle("c", 1, 40)];
    expect(gone(saved, { maxAgeMs: 30 * dayMs, maxBytes: 80 }).told).toEqual([
      "old goes: age",
      "b stays: within",
      "c stays: within",
    ]);
  });
});

test("never deletes what was not sent, frees no more than it must, and tells of every bundle once", () => {
  const candidate = fc.record({
    name: fc.uuid(),
    savedOn: fc.integer({ min: 0, max: 60 }).map(daysAgo),
    sizeBytes: fc.integer({ min: 1, max: 100 }),
    sent: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(candidate, { maxLength: 20 }),
      fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
      fc.option(fc.integer({ min: 0, max: 800 }), { nil: undefined }),
      (saved, days, maxBytes) => {
        const maxAgeMs = days === undefined ? undefined : days * dayMs;
        const { choices, bytesLeft, bytesFreed, isOverLimit } = choosePruning(
          saved,
          { maxAgeMs, maxBytes, unsent: false },
          now,
        );
        const going = choices.filter(({ goes }) => goes).map(({ of }) => of);
        const staying = choices.filter(({ goes }) => !goes).map(({ of }) => of);
        expect(new Set(choices.map(({ of }) => of))).toEqual(new Set(saved));
        expect(going.every(({ sent }) => sent)).toBe(true);
        expect(bytesLeft).toBe(staying.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
        expect(bytesLeft + bytesFreed).toBe(saved.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
        if (!isOverLimit) expect(bytesLeft).toBeLessThanOrEqual(maxBytes ?? Number.POSITIVE_INFINITY);
        // The newest that went to make room would not have fitted.
        const last = choices.findLast(({ why }) => why === "size");
        if (last !== undefined) expect(bytesLeft + last.of.sizeBytes).toBeGreaterThan(maxBytes ?? 0);
      },
    ),
  );
});
