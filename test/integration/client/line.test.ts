import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type ProxyOptions, startConnectProxy } from "../../support/lines/connectProxy.ts";
import { commandLine } from "./commandLine.ts";

const certificates = join(import.meta.dirname, "../../support/certs");
const caFile = join(certificates, "intake.cert.pem");
const [cert, key] = [await readFile(caFile), await readFile(join(certificates, "intake.key.pem"))];
const host = "intake.test";
const kib = 1024;

/** What this machine may have, and would change the outcome. */
const noProxies = Object.fromEntries(
  ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "NODE_EXTRA_CA_CERTS"].flatMap((name) => [
    [name, undefined],
    [name.toLowerCase(), undefined],
  ]),
);

/** A service that only the proxy can reach: nothing but the proxy knows its name. */
async function behindProxy(
  options: ProxyOptions & {
    readonly tls: boolean;
    readonly as?: string;
    readonly environment?: Record<string, string>;
  },
) {
  const stack = new AsyncDisposableStack();
  const proxy = stack.use(await startConnectProxy(options));
  const named = options.as === undefined ? proxy.origin : proxy.origin.replace("//", `//${options.as}@`);
  const environment = { ...noProxies, HTTPS_PROXY: named, HTTP_PROXY: named, ...options.environment };
  const scene = stack.use(await commandLine({ host, ...(options.tls ? { tls: { cert, key } } : {}) }, environment));
  return { ...scene, proxy, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const event = z.looseObject({ event: z.string() });
const eventsOf = (stderr: string) =>
  stderr
    .trim()
    .split("\n")
    .map((line) => event.parse(JSON.parse(line)));

describe("behind a proxy", () => {
  test("service and storage are reached by CONNECT, with the proxy's credentials; --ca is kept by register", async () => {
    await using scene = await behindProxy({ tls: true, credentials: "stamp:p@ss", as: "stamp:p%40ss" });
    expect(await scene.run("register", "--ca", caFile)).toMatchObject({ code: 0, stderr: "" });
    const path = await scene.folder.file("logs.zip", 300 * kib);
    const sent = await scene.run("send", "logs.zip", "--quiet");
    expect(sent).toMatchObject({ code: 0, stderr: "" });
    const [bundleId = ""] = scene.intake.bundleIds();
    expect(await scene.intake.blob(bundleId).downloadToBuffer()).toEqual(await readFile(path));
    const { host: place } = new URL(scene.intake.origin);
    expect(new Set(scene.proxy.seen)).toEqual(new Set([`CONNECT ${place}`]));
    expect(scene.intake.seen.some(({ headers }) => "proxy-authorization" in headers)).toBe(false);
  });

  test("plain http goes through it whole", async () => {
    await using scene = await behindProxy({ tls: false });
    expect(await scene.run("register")).toMatchObject({ code: 0 });
    const { host: place } = new URL(scene.intake.origin);
    expect(new Set(scene.proxy.seen)).toEqual(new Set([`PUT ${place}`]));
  });

  test("what NO_PROXY names is called directly, and so is this machine", async () => {
    await using scene = await behindProxy({ tls: false, environment: { NO_PROXY: host } });
    const unknown = await scene.run("register");
    expect(unknown.code).toBe(4);
    expect(unknown.stderr).toContain("intake.test");
    const own = scene.intake.origin.replace(host, "127.0.0.1");
    expect(await scene.run("register", "--origin", own)).toMatchObject({ code: 0 });
    expect(scene.proxy.seen).toEqual([]);
  });

  test.each([true, false])("that wants credentials, one try ends with what to do (TLS: %s)", async (tls) => {
    await using scene = await behindProxy({ tls, credentials: "stamp:secret", as: "stamp:wrong-one" });
    const { code, stderr } = await scene.run("register", "--json");
    expect(code).toBe(4);
    expect(eventsOf(stderr)).toEqual([
      expect.objectContaining({ event: "error", code: "ProxyAuthentication", exitCode: 4 }),
    ]);
    expect(stderr).toContain("HTTPS_PROXY=");
    expect(stderr).not.toMatch(/wrong-one/);
    expect(scene.proxy.seen).toHaveLength(1);
  });

  test("that does not let through, one try ends with whom to ask", async () => {
    await using scene = await behindProxy({ tls: true, refuseWith: 403, as: "stamp:secret" });
    const { code, stderr } = await scene.run("register", "--ca", caFile);
    expect(code).toBe(4);
    expect(stderr).toContain("Ask whoever runs the proxy");
    expect(stderr).not.toContain("secret");
    expect(scene.proxy.seen).toHaveLength(1);
  });

  test("that is no HTTP proxy is wrong usage", async () => {
    await using scene = await behindProxy({ tls: true, environment: { HTTPS_PROXY: "socks5://127.0.0.1:1080" } });
    const { code, stderr } = await scene.run("register");
    expect(code).toBe(2);
    expect(stderr).toContain("HTTPS_PROXY is not the URL of an HTTP proxy");
  });
});

describe("a certificate that Node does not know", () => {
  test("ends at the first try, and says how to trust it; NODE_EXTRA_CA_CERTS is one way", async () => {
    await using scene = await behindProxy({ tls: true });
    const { code, stderr } = await scene.run("register");
    expect(code).toBe(4);
    expect(stderr).toContain("--ca <file>");
    expect(scene.proxy.seen).toHaveLength(1);
    await using trusting = await behindProxy({ tls: true, environment: { NODE_EXTRA_CA_CERTS: caFile } });
    expect(await trusting.run("register")).toMatchObject({ code: 0 });
  });

  test.each([
    ["no-such-file.pem", "cannot be read"],
    ["empty.pem", "no certificate in PEM form"],
  ])("--ca %s is wrong usage: %s", async (file, told) => {
    await using scene = await commandLine();
    await writeFile(join(scene.folder.path, "empty.pem"), "nothing");
    const { code, stderr } = await scene.run("register", "--ca", file);
    expect(stderr).toContain(told);
    expect(code).toBe(2);
  });
});

describe("for scripts", () => {
  test("--json tells of progress in lines of JSON on standard error, and of the end on standard output", async () => {
    await using scene = await commandLine();
    await scene.folder.file("logs.zip", 10 * 64 * kib);
    await scene.run("register");
    scene.intake.faults.push({ on: /comp=block&/, times: 1, what: { status: 503, code: "ServerBusy" } });
    const { code, stdout, stderr } = await scene.run("send", "logs.zip", "--json", "--limit-rate", "8mbit");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ state: "accepted" });
    const events = eventsOf(stderr);
    expect(new Set(events.map((each) => each.event))).toEqual(new Set(["progress", "retry"]));
    const uploading = events.filter(({ phase }) => phase === "uploading");
    expect(uploading.at(-1)).toMatchObject({ doneBytes: 10 * 64 * kib, totalBytes: 10 * 64 * kib, secondsLeft: 0 });
    expect(events.find((each) => each.event === "retry")).toMatchObject({ attempt: 1, tries: 14 });
  });

  test("--json tells of a failure in a line of JSON, also with --quiet", async () => {
    await using scene = await commandLine();
    await scene.run("register");
    scene.intake.faults.push({ on: /bundles/, times: 1, what: { status: 403, code: "StampDisabled" } });
    const { code, stdout, stderr } = await scene.run("history", "--json", "--quiet");
    expect([code, stdout]).toEqual([1, ""]);
    expect(eventsOf(stderr)).toEqual([expect.objectContaining({ event: "error", code: "StampDisabled", exitCode: 1 })]);
  });

  test.each([
    [["send", "logs.zip", "--limit-rate", "fast"], "fast is no rate"],
    [["send", "logs.zip", "--block-size", "0"], "must be a size"],
  ])("%j is wrong usage", async (words, told) => {
    await using scene = await commandLine();
    const { code, stderr } = await scene.run(...words);
    expect(stderr).toContain(told);
    expect(code).toBe(2);
  });
});
