import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { z } from "zod";
import { runsOf, startFixture, type TestHost } from "../../support/host-app/start.ts";

/** Point by point what `DESIGN.md`, Platform, found of the real host's HTTP. */

let host: TestHost;
beforeAll(async () => {
  host = await startFixture({ storage: inject("storageConnectionString") });
});
afterAll(() => host.stop(5_000));

const get = (path: string, init?: RequestInit) => fetch(`${host.origin}${path}`, init);
const seenBy = z.looseObject({
  url: z.string(),
  query: z.record(z.string(), z.string()),
  params: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string()),
  bodyBytes: z.number(),
});
/** What the function saw of the request. */
const echo = async (path: string, init?: RequestInit) => seenBy.parse(await (await get(path, init)).json());
const text = async (path: string) => (await get(path)).text();

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };

/** Sends what `fetch` would tidy up. */
function send(options: RequestOptions & { path: string }, body?: Iterable<Buffer | string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(host.origin);
    const outgoing = httpRequest({ hostname, port, agent: false, ...options }, (incoming) => {
      let received = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        received += chunk;
      });
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: received }),
      );
    });
    outgoing.on("error", reject);
    for (const chunk of body ?? []) outgoing.write(chunk);
    outgoing.end();
  });
}

describe("routes", () => {
  test("of two that fit, the first by function name is taken, and a literal has no precedence", async () => {
    expect(await text("/shadow/literal")).toBe("parameter");
  });

  test("the order of names ignores case, and `_` comes after the letters", async () => {
    expect(await text("/order/x")).toBe("Order_A");
    expect(await text("/underscore/x")).toBe("Underscorex");
  });

  test("matching ignores case and accepts a trailing slash; a parameter keeps its case", async () => {
    expect(await (await get("/ITEMS/AbC/")).json()).toEqual({ itemId: "AbC" });
  });

  test("a function whose verb does not fit is passed over", async () => {
    const answer = await get("/items/5:disable", { method: "POST" });
    expect(await answer.json()).toEqual({ itemId: "5" });
    expect(await (await get("/items/5:disable")).json()).toEqual({ itemId: "5:disable" });
  });

  test("dots in a route are literal", async () => {
    expect(await text("/.well-known/jwks.json")).toBe("keys");
  });

  test.each([
    ["GET", "/nowhere"],
    ["DELETE", "/teapot"],
    ["HEAD", "/teapot"],
    ["GET", "//teapot"],
    ["GET", "//echo/x"],
    ["GET", "/echo//x"],
    ["GET", "//"],
    ["GET", "///"],
  ])("%s %s, an unknown route or a wrong verb, is an empty 404", async (method, path) => {
    const answer = await get(path, { method });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe("");
    expect(answer.headers.get("content-type")).toBeNull();
  });
});

describe("requests", () => {
  test("handlers see the library's own class", async () => {
    expect(await echo("/echo/a/b")).toMatchObject({
      class: "HttpRequest",
      method: "GET",
      url: `${host.origin}/echo/a/b`,
      params: { rest: "a/b" },
    });
  });

  test("headers that come twice are joined by a comma", async () => {
    const { body } = await send({ path: "/echo/x", headers: { "X-Twice": ["1", "2"], Accept: ["a", "b"] } });
    expect(JSON.parse(body).headers).toMatchObject({ "x-twice": "1,2", accept: "a,b" });
  });

  test("query keys that come twice are joined by a comma in the map, while the URL keeps both", async () => {
    const seen = await echo("/echo/x?a=1&b=2&a=3&A=4");
    expect(seen.query).toEqual({ a: "1,3,4", b: "2" });
    expect(seen.url).toBe(`${host.origin}/echo/x?a=1&b=2&a=3&A=4`);
  });

  test("a path that was escaped arrives escaped, and its parameter decoded", async () => {
    const { body } = await send({ path: "/echo/a%20b%2Fc\\d" });
    expect(JSON.parse(body)).toMatchObject({
      url: `${host.origin}/echo/a%20b%2Fc%5Cd`,
      params: { rest: "a b%2Fc\\d" },
    });
  });

  test("X-Forwarded-* does not change the URL", async () => {
    const headers = {
      "X-Forwarded-Host": "elsewhere.example",
      "X-Forwarded-Proto": "https",
      "X-Forwarded-For": "192.0.2.1",
    };
    const seen = await echo("/echo/x", { headers });
    expect(seen.url).toBe(`${host.origin}/echo/x`);
    expect(seen.headers).toMatchObject({ "x-forwarded-host": "elsewhere.example" });
  });

  test("a body with a length arrives", async () => {
    const seen = await echo("/echo/x", { method: "POST", body: "12345" });
    expect(seen.bodyBytes).toBe(5);
    expect(seen.headers["content-length"]).toBe("5");
  });

  test("a chunked body arrives empty, and its header says so", async () => {
    const answer = await send({ method: "POST", path: "/echo/x", headers: { "Transfer-Encoding": "chunked" } }, [
      "12345",
    ]);
    const seen = JSON.parse(answer.body);
    expect(seen.bodyBytes).toBe(0);
    expect(seen.headers["transfer-encoding"]).toBe("chunked");
    expect(seen.headers).not.toHaveProperty("content-length");
  });

  test("the connection is good for another request after a body that nobody read", async () => {
    const raw = await exchange(
      "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n" +
        "GET /teapot HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    expect(raw).toMatch(/^HTTP\/1.1 404 /);
    expect(raw).toContain("HTTP/1.1 418 ");
  });

  test("a body of 104,857,600 bytes is taken, one byte more is an empty 500", async () => {
    const mebibyte = Buffer.alloc(1_048_576);
    const whole = await send(
      { method: "PUT", path: "/echo/x", headers: { "Content-Length": 104_857_600 } },
      Array.from({ length: 100 }, () => mebibyte),
    );
    expect(JSON.parse(whole.body).bodyBytes).toBe(104_857_600);
    const over = await exchange(
      "PUT /echo/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 104857601\r\n\r\n",
    );
    expect(over).toMatch(/^HTTP\/1.1 500 /);
    expect(over).toMatch(/\r\ncontent-length: 0\r\n[\s\S]*\r\n\r\n$/i);
  });

  test("headers up to 32 KiB are taken, more is 431", async () => {
    expect((await send({ path: "/teapot", headers: { "X-Long": "x".repeat(32_000) } })).status).toBe(418);
    expect((await send({ path: "/teapot", headers: { "X-Long": "x".repeat(32_768) } })).status).toBe(431);
    expect((await send({ path: "/teapot", headers: { "X-Long": "x".repeat(400_000) } })).status).toBe(431);
  });

  test("a request line up to 8 KiB is taken, more is 414", async () => {
    const longest = 8_192 - "GET  HTTP/1.1\r\n".length;
    expect((await send({ path: "/echo/".padEnd(longest, "x") })).status).toBe(200);
    expect((await send({ path: "/echo/".padEnd(longest + 1, "x") })).status).toBe(414);
  });

  test("a target that is none, or a Host that cannot stand in a URL, is an empty 400", async () => {
    expect(await exchange("GET * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
    expect(await exchange("GET /teapot HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
    const long = "a".repeat(260);
    expect(await exchange(`GET /teapot HTTP/1.1\r\nHost: ${long}\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 400 /,
    );
  });
});

describe("the Host header", () => {
  const answerTo = (host: string) => send({ path: "/teapot", headers: { Host: host } });

  test.each(["127.0.0.1", "127.0.0.1:7071", "localhost", "LocalHost:1", "[::1]", "[::1]:7071"])(
    "%s names this machine, on whatever port",
    async (host) => {
      expect((await answerTo(host)).status).toBe(418);
    },
  );

  test.each([
    "rebound.example",
    "rebound.example:7071",
    "localhost.rebound.example",
    "127.0.0.1.rebound.example",
    "127.0.0.2",
    "192.0.2.1:7071",
    "[::2]",
  ])("%s is a 421 for every path, so that a name bound to the loopback anew opens nothing", async (host) => {
    const { status, headers, body } = await answerTo(host);
    expect([status, headers["content-type"]]).toEqual([421, "text/plain; charset=utf-8"]);
    expect(body).toContain("127.0.0.1");
    expect((await send({ method: "POST", path: "/admin/functions/LeapMonday", headers: { Host: host } })).status).toBe(
      421,
    );
    expect((await send({ path: "/nowhere", headers: { Host: host } })).status).toBe(421);
  });

  test("that comes twice is an empty 400", async () => {
    const twice = "GET /teapot HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    expect(await exchange(twice)).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe("answers", () => {
  test("status, headers and body are the function's", async () => {
    const answer = await get("/teapot");
    expect(answer.status).toBe(418);
    expect(answer.headers.get("x-kind")).toBe("pot");
    expect(answer.headers.get("content-length")).toBe("15");
    expect(await answer.text()).toBe("short and stout");
  });

  test.each(["/throws", "/bad-return", "/non-ascii"])(
    "%s: a thrown error, a bad return value or a non-ASCII header is an empty 500",
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(500);
      expect(await answer.text()).toBe("");
      expect(answer.headers.get("x-name")).toBeNull();
    },
  );

  test.each(["/returns-undefined", "/returns-null"])("%s: nothing returned is 204", async (path) => {
    expect((await get(path)).status).toBe(204);
  });
});

describe("hooks", () => {
  test("appStart has run, and the hooks of a run share its data and see the library's context", async () => {
    await get("/teapot");
    const runs = await runsOf(host.origin);
    expect(runs[0]?.functionName).toBe("appStart");
    expect(runs.find(({ functionName }) => functionName === "postInvocation")?.input).toEqual({
      startedBy: "preInvocation",
      class: "InvocationContext",
    });
  });
});

/** Sends raw bytes and gives everything that comes back until the other side closes. */
function exchange(raw: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(host.origin);
    let received = "";
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(raw))
      .on("data", (chunk) => {
        received += chunk.toString("latin1");
      })
      .on("close", () => resolve(received))
      .on("error", reject);
  });
}
