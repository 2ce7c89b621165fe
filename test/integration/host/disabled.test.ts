import { randomUUID } from "node:crypto";
import { QueueClient } from "@azure/storage-queue";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { runsOf, startFixture, type TestHost } from "../../support/host-app/start.ts";
import { until } from "../../support/until.ts";

/** What the platform's own switch, `AzureWebJobs.<function>.Disabled`, does to a function, as measured on the real host. */

const storage = inject("storageConnectionString");

let host: TestHost;
beforeAll(async () => {
  const names = ["Shadow_A_Parameter", "Teapot", "Messages", "LeapMonday"];
  host = await startFixture({
    storage,
    environment: Object.fromEntries(names.map((name) => [`AzureWebJobs.${name}.Disabled`, "true"])),
  });
});
afterAll(() => host.stop(5_000));

test.each(["/teapot", "/shadow/literal"])("%s keeps its route and answers an empty 404", async (path) => {
  const answer = await fetch(`${host.origin}${path}`);
  expect([answer.status, await answer.text()]).toEqual([404, ""]);
});

test("no message starts it", async () => {
  const queue = new QueueClient(storage, host.queueName);
  await queue.create();
  await queue.sendMessage(Buffer.from(randomUUID()).toString("base64"));
  const ran = async (name: string) =>
    (await runsOf(host.origin)).filter(({ functionName }) => functionName === name).length;
  const before = await ran("EverySecond");
  await until("two ticks, between which a listener would look", async () => (await ran("EverySecond")) > before + 1);
  expect(await ran("Messages")).toBe(0);
});

test("it is listed, and the admin endpoint runs it all the same", async () => {
  const listed = await (await fetch(`${host.origin}/admin/functions`)).json();
  expect(listed).toEqual(expect.arrayContaining([{ name: "Teapot" }, { name: "LeapMonday" }]));
  expect((await fetch(`${host.origin}/admin/functions/LeapMonday`, { method: "POST", body: "{}" })).status).toBe(202);
  expect((await runsOf(host.origin)).map(({ functionName }) => functionName)).toContain("LeapMonday");
});
