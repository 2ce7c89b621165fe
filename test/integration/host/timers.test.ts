import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { runsOf, startFixture, type TestHost } from "../../support/host-app/start.ts";
import { until } from "../../support/until.ts";

/** Timers, and the admin endpoints that run them now. */

let host: TestHost;
beforeAll(async () => {
  host = await startFixture({ storage: inject("storageConnectionString") });
});
afterAll(() => host.stop(5_000));

const runsNamed = async (name: string) =>
  (await runsOf(host.origin)).filter(({ functionName }) => functionName === name);
const runNow = (name: string, body: string | undefined = "{}") =>
  fetch(`${host.origin}/admin/functions/${name}`, { method: "POST", ...(body === "" ? {} : { body }) });

test("a timer runs on its schedule and is told of it, and none runs at start", async () => {
  const [run] = await until("the timer of every second", async () => {
    const runs = await runsNamed("EverySecond");
    return runs.length > 1 && runs;
  });
  expect(run?.input).toMatchObject({
    isPastDue: false,
    schedule: { adjustForDST: true },
    scheduleStatus: { next: expect.any(String) },
  });
  expect(await runsNamed("LeapMonday")).toEqual([]);
});

test("GET /admin/functions lists every function by name", async () => {
  const answer = await fetch(`${host.origin}/admin/functions`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual(
    expect.arrayContaining([{ name: "Echo" }, { name: "LeapMonday" }, { name: "Messages" }]),
  );
});

test("POST /admin/functions/<name> runs a timer now, and the 202 comes when the run has ended", async () => {
  const answer = await runNow("LeapMonday");
  expect(answer.status).toBe(202);
  expect(await answer.text()).toBe("");
  expect(await runsNamed("LeapMonday")).toHaveLength(1);
});

test("the name's case does not count", async () => {
  const before = (await runsNamed("LeapMonday")).length;
  expect((await runNow("leapmonday")).status).toBe(202);
  expect(await runsNamed("LeapMonday")).toHaveLength(before + 1);
});

test("a run that fails is a 202 all the same", async () => {
  expect((await runNow("FailingTimer")).status).toBe(202);
  expect(await runsNamed("FailingTimer")).toHaveLength(1);
});

test("a queue function is handed the input", async () => {
  expect((await runNow("Messages", JSON.stringify({ input: '{"by":"admin"}' }))).status).toBe(202);
  expect((await runsNamed("Messages")).map(({ input }) => input)).toContainEqual({ by: "admin" });
});

test("an HTTP function fails on it, and that is a 202 too", async () => {
  expect((await runNow("Teapot")).status).toBe(202);
});

test.each([
  ["Nobody", "{}", 404],
  ["LeapMonday", "not json", 400],
  ["LeapMonday", "[]", 400],
])("running %s with %s is refused", async (name, body, status) => {
  expect((await runNow(name, body)).status).toBe(status);
});

describe("a web page in a browser of this machine", () => {
  const drive = (headers: Record<string, string>, method = "POST") =>
    fetch(`${host.origin}/admin/functions${method === "POST" ? "/LeapMonday" : ""}`, {
      method,
      headers,
      ...(method === "POST" ? { body: "{}" } : {}),
    });

  test.each([
    ["of another site", { origin: "https://page.example", "sec-fetch-site": "cross-site" }],
    ["of another site, in a browser that only says the origin", { origin: "https://page.example" }],
    ["without an origin of its own, such as a file", { origin: "null" }],
    ["of another site, where the browser leaves the origin out", { "sec-fetch-site": "cross-site" }],
    ["served at another port of this machine", { origin: "http://localhost:3000", "sec-fetch-site": "same-site" }],
    ["of the same site, where the browser leaves the origin out", { "sec-fetch-site": "same-site" }],
  ])("%s runs no function and reads no list", async (_name, headers) => {
    const before = (await runsNamed("LeapMonday")).length;
    const asText = { "content-type": "text/plain", ...headers };
    expect((await drive(asText)).status).toBe(403);
    expect((await drive(headers, "GET")).status).toBe(403);
    expect(await runsNamed("LeapMonday")).toHaveLength(before);
  });

  test("is told nothing by a preflight that would let it ask", async () => {
    const answer = await drive({ origin: "https://page.example", "access-control-request-method": "POST" }, "OPTIONS");
    expect([answer.ok, answer.headers.get("access-control-allow-origin")]).toEqual([false, null]);
  });

  test.each([
    ["curl, with the type that it gives a body", { "content-type": "application/x-www-form-urlencoded" }],
    ["a script, with a body of whatever type", { "content-type": "text/plain" }],
    ["an address typed into the browser", { "sec-fetch-site": "none" }],
  ])("is none of these, which run one: %s", async (_name, headers) => {
    expect((await drive(headers)).status).toBe(202);
  });
});
