import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import type { StampActor } from "../../support/system/stamp.ts";
import { putBlob } from "../../support/system/storage.ts";
import { blobsIn } from "./support/bundles.ts";
import { useStages } from "./support/stage.ts";

/** What a stamp is told before it collects, and the container that it may try a write in. */

const stages = useStages();

const answerShape = z.object({
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), code: z.string().optional(), message: z.string() })),
  probe: z.object({ url: z.url(), expiresOn: z.string(), requiredHeaders: z.record(z.string(), z.string()) }),
});

type Fields = Readonly<Record<string, unknown>>;
type Headers = Readonly<Record<string, string>>;
const ask = (stamp: StampActor, body: Fields = {}, headers: Headers = {}) =>
  stamp.call("POST", `${stamp.path}:checkUpload`, body, { headers });
const check = async (stamp: StampActor, body: Fields = {}, headers: Headers = {}) =>
  answerShape.parse(expectStatus(await ask(stamp, body, headers), 200).json);
const refused = ({ checks }: z.infer<typeof answerShape>) =>
  checks.filter(({ ok }) => !ok).map(({ name, code }) => `${name} ${code}`);

describe("the checks", () => {
  test("of a stamp that may send say so, each in words", async () => {
    const stamp = await stages({ settings: { RATE_LIMITS: "on" } }).registeredStamp();
    const answer = await check(stamp, { sizeBytes: 2_000_000_000 });
    expect(refused(answer)).toEqual([]);
    expect(answer.checks.map(({ name }) => name)).toEqual([
      "registration",
      "consent",
      "stampVersion",
      "clientVersion",
      "trigger",
      "size",
      "rates",
    ]);
    for (const { message } of answer.checks) expect(message).toMatch(/\.$/);
  });

  test.each([
    ["consent ConsentNotGiven", { mode: "proactive" }, {}],
    ["trigger HiddenEventUnsupported", { mode: "proactive", faultId: "Hidden", stampVersion: "1.1910.0.58" }, {}],
    ["stampVersion StampVersionTooOld", { stampVersion: "1.1808.0.97" }, {}],
    ["clientVersion ClientVersionTooOld", {}, { "user-agent": "stamp-intake-client/0.0.9" }],
    ["size InvalidBody", { sizeBytes: 1_000_001 }, {}],
    ["rates TooManyRequests", { sizeBytes: 900_000 }, {}],
  ])("%s is what a create would be refused with", async (expected, body: Fields, headers) => {
    const settings = {
      RATE_LIMITS: "on",
      MAX_BUNDLE_BYTES: "1000000",
      STAMP_MAX_BYTES_PER_DAY: "1000000",
      MIN_STAMP_VERSION: "1.1910.0.0",
      MIN_CLIENT_VERSION: "0.1.0",
    };
    const stamp = await stages({ settings }).registeredStamp();
    if (expected.startsWith("trigger")) await stamp.enableConsent();
    if (expected.startsWith("rates")) await stamp.createBundle({ sizeBytes: 500_000 });
    expect(refused(await check(stamp, body, headers))).toContain(expected);
    const { mode = "sendNow", faultId, ...fields } = body;
    const request = await stamp.bundleRequest({ mode, ...fields });
    const trigger = faultId === undefined ? {} : { trigger: { faultId, raisedOn: new Date().toISOString() } };
    const answer = await stamp.call("PUT", stamp.bundlePath(randomUUID()), { ...request, ...trigger }, { headers });
    expect(answer.headers["x-ms-error-code"]).toBe(expected.split(" ")[1]);
  });

  test("take what the contract says and nothing else", async () => {
    const stamp = await stages().registeredStamp();
    expectRefusal(await ask(stamp, { sizeBytes: 0 }), 400, "InvalidBody");
    expectRefusal(await ask(stamp, { faultId: "Urp.UpdateFailure" }), 400, "InvalidBody");
    expectRefusal(await ask(stamp, { caseNumber: "2211280040006230" }), 400, "InvalidBody");
  });
});

describe("the container for test writes", () => {
  test("[invariant 2] has its deadline before its URL, takes a write, and is gone after its hour", async () => {
    const stage = stages();
    const stamp = await stage.registeredStamp();
    await stamp.view();
    const { result, calls } = await stage.faults.watching(() => check(stamp));
    const order = calls.map(({ method, path }) => `${method} ${path}`);
    const deadline = order.findIndex((call) => call.includes("schedule"));
    const container = order.findIndex((call) => call.startsWith("PUT") && call.includes("/landing-"));
    expect(deadline).toBeGreaterThan(-1);
    expect(deadline).toBeLessThan(container);
    expect(calls.length, order.join("\n")).toBeLessThanOrEqual(4);

    expectStatus(await putBlob(result.probe, Buffer.from("probe")), 201);
    expect(await blobsIn(stage)).toHaveLength(1);
    await stage.app.timers.reconcile();
    expect((await stage.app.world.runs.findings())?.violations).toEqual([]);

    await stage.another({ offsetDays: 1 }).runTimer("sweepUnfinished");
    expect(await blobsIn(stage)).toEqual([]);
    const late = await putBlob(result.probe, Buffer.from("probe"));
    expect(late.status).toBe(404);
    const history = expectStatus(await stamp.call("GET", `${stamp.path}/bundles`), 200).json;
    expect(history).toEqual({ value: [] });
  });

  test("is the same one however often a stamp asks, and another for another stamp", async () => {
    const now = new Date();
    const stage = stages({ real: () => now });
    const [stamp, other] = [await stage.registeredStamp(), await stage.registeredStamp()];
    const place = async (of: StampActor) => new URL((await check(of)).probe.url).pathname;
    const first = await place(stamp);
    expect(await place(stamp)).toBe(first);
    expect(await place(other)).not.toBe(first);
    let containers = 0;
    for await (const _each of stage.blobs.listContainers()) containers += 1;
    expect(containers).toBe(2);
  });
});
