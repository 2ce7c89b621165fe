import { afterAll, beforeAll, expect, inject, test } from "vitest";
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
