import { describe, expect, test } from "vitest";
import { FileChangedError, LineError, RefusedError, UnreachableError } from "../../../client/errors.ts";
import { exitCodes, explain, Interrupted, UsageError } from "../../../client/failure.ts";

describe("a failure", () => {
  test.each([
    ["wrong usage", new UsageError("no such file"), exitCodes.usage],
    ["an interruption", new Interrupted(), exitCodes.interrupted],
    ["a dead line", new UnreachableError("http://127.0.0.1:7071", new Error("refused")), exitCodes.unreachable],
    ["a proxy that wants credentials", new LineError("ProxyAuthentication", "no"), exitCodes.unreachable],
    ["a refusal", new RefusedError({ status: 409, code: "BundleConflict", message: "no" }), exitCodes.refused],
    ["a file that changed", new FileChangedError("a.zip"), exitCodes.refused],
    ["anything else", new Error("odd"), exitCodes.refused],
  ])("of kind: %s, has its own exit code", (_kind, error, exitCode) => {
    expect(explain(error).exitCode).toBe(exitCode);
  });

  test("tells the service's words, its code, what to quote and what to do next", () => {
    const error = new RefusedError({
      status: 403,
      code: "ConsentNotGiven",
      message: "No consent stands.",
      requestId: "r-1",
      traceId: "0af7651916cd43dd8448eb211c80319c",
    });
    const told = explain(error).lines.join("\n");
    expect(told).toContain("No consent stands. (ConsentNotGiven, request r-1, trace 0af7651916cd43dd8448eb211c80319c)");
    expect(told).toContain("npm run stamp -- consent enable");
  });

  test("that was an interruption says how to go on", () => {
    expect(explain(new Interrupted()).lines.join()).toContain("the same command goes on");
  });

  test("of a connection to a host with several addresses still says why", () => {
    const cause = Object.assign(new AggregateError([], ""), { code: "ECONNREFUSED" });
    expect(new UnreachableError("http://localhost:1", cause).message).toContain("ECONNREFUSED");
  });
});
