import { describe, expect, it } from "vitest";
import { LineError } from "../../../client/errors.ts";
import { ConnectionError } from "../../../client/lineErrors.ts";
import { checkLine, checkProxy, wouldFail } from "../../../client/preflight.ts";
import type { Exchange } from "../../../client/transport.ts";

const origin = "https://intake.example.com";

/** A line on which this comes back, with a clock that far from this machine's. */
const answering =
  (status: number, body: string, clockMs = 0): Exchange =>
  async () => ({
    status,
    headers: new Headers({ date: new Date(Date.now() + clockMs).toUTCString() }),
    body: Buffer.from(body),
  });
const healthy = '{"status":"ok"}';
const failing =
  (error: Error): Exchange =>
  async () => {
    throw error;
  };
const about = async (exchange: Exchange, at = origin) =>
  Object.fromEntries((await checkLine(at, exchange, undefined)).map((each) => [each.name, each]));

describe("the line", () => {
  it("is fine where the service answers", async () => {
    const { line, clock } = await about(answering(200, healthy));
    expect([line?.status, clock?.status]).toEqual(["ok", "ok"]);
  });

  it.each([
    ["a sign-in page answers instead", answering(200, "<html>Sign in</html>"), /a proxy or sign-in page/],
    ["another server does", answering(404, "{}"), /Check --origin/],
    ["the service cannot serve", answering(503, "{}"), /few minutes/],
    ["nobody answers", failing(new ConnectionError(new Error("ETIMEDOUT"))), /outbound 443.*stamp -- options/],
    ["a certificate is not trusted", failing(new LineError("UntrustedCertificate", "Give its root.")), /before that/],
  ])("has failed where %s, and says what to do", async (_, exchange, remedy) => {
    const { line, clock } = await about(exchange);
    expect(line).toMatchObject({ status: "failed", remedy: expect.stringMatching(remedy) });
    expect(clock).toBeUndefined();
  });

  it("to this machine is mended by starting the service", async () => {
    const { line } = await about(failing(new ConnectionError(new Error("ECONNREFUSED"))), "http://127.0.0.1:7071");
    expect(line?.remedy).toContain("npm start");
  });
});

describe("the clock", () => {
  it.each([
    [0, "ok"],
    [50_000, "ok"],
    [-50_000, "ok"],
    [120_000, "warning"],
    [-7_200_000, "warning"],
  ])("that differs by %i ms is %s: this client corrects itself, so it is no failure", async (clockMs, status) => {
    const { clock } = await about(answering(200, healthy, clockMs));
    expect(clock?.status).toBe(status);
    expect(clock?.remedy !== undefined).toBe(status === "warning");
    expect(wouldFail(Object.values(await about(answering(200, healthy, clockMs))))).toBe(false);
  });
});

describe("the proxy", () => {
  it("is named without its credentials", () => {
    const told = checkProxy(origin, { HTTPS_PROXY: "http://user:secret@proxy.example.com:8080" });
    expect(told).toMatchObject({ status: "ok", message: expect.stringContaining("http://proxy.example.com:8080") });
    expect(JSON.stringify(told)).not.toContain("secret");
  });

  it("may be none", () => {
    expect(checkProxy(origin, {})).toMatchObject({ status: "ok", message: expect.stringContaining("not set") });
  });

  it("that is no URL fails, and is not repeated", () => {
    const told = checkProxy(origin, { HTTPS_PROXY: "socks://user:secret@proxy" });
    expect(told.status).toBe("failed");
    expect(JSON.stringify(told)).not.toContain("secret");
  });
});
