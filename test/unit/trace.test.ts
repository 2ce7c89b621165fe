import { describe, expect, test } from "vitest";
import { currentTrace, currentTraceparent, traceOf, underTrace, withTrace } from "../../shared/trace.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";

describe("a traceparent", () => {
  test("is gone on with: the same trace, a step of its own", () => {
    const trace = traceOf(`00-${traceId}-b7ad6b7169203331-01`);
    expect(trace.traceId).toBe(traceId);
    expect(trace.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(trace.spanId).not.toBe("b7ad6b7169203331");
    expect(withTrace(trace, currentTraceparent)).toBe(`00-${traceId}-${trace.spanId}-01`);
  });

  test.each([
    ["none", undefined],
    ["nonsense", "x".repeat(55)],
    ["upper case", `00-${traceId.toUpperCase()}-b7ad6b7169203331-01`],
    ["zeros", `00-${"0".repeat(32)}-b7ad6b7169203331-01`],
    ["a step of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
    ["the version that there never will be", `ff-${traceId}-b7ad6b7169203331-01`],
    ["a line of the log", `00-${traceId}-b7ad6b7169203331-01","event":"forged`],
  ])("that is no such thing begins a new trace: %s", (_what, traceparent) => {
    const trace = traceOf(traceparent);
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(trace.traceId).not.toBe(traceId);
  });

  test("of a later version is read as far as it is known", () => {
    expect(traceOf(`01-${traceId}-b7ad6b7169203331-01-what-comes`).traceId).toBe(traceId);
  });

  test("is none outside of a trace; what belongs to an earlier one is said in that", () => {
    expect(currentTrace()).toBeUndefined();
    expect(currentTraceparent()).toBeUndefined();
    withTrace(traceOf(undefined), () => {
      expect(underTrace(traceId, currentTrace)?.traceId).toBe(traceId);
      expect(underTrace(undefined, currentTrace)).toEqual(currentTrace());
    });
  });
});
