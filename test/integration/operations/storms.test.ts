import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { newCaseNumber } from "../../support/system/cases.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import type { Answer } from "../../support/system/http.ts";
import { signed } from "../../support/system/signing.ts";
import type { StampActor } from "../../support/system/stamp.ts";
import { withVersion } from "../../support/system/world.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** Limits on rates through the whole HTTP edge, with storage calls counted: what is refused, what it costs, and what never is. */

const stages = useStages();

const limited = (settings: Readonly<Record<string, string>> = {}) =>
  stages({ settings: { RATE_LIMITS: "on", ...settings } });

type Fields = Readonly<Record<string, unknown>>;
const create = async (stamp: StampActor, changes: Fields = {}, bundleId: string = randomUUID()): Promise<Answer> =>
  stamp.call("PUT", stamp.bundlePath(bundleId), await stamp.bundleRequest(changes));

const refusal = z.object({ error: z.object({ details: z.array(z.object({ code: z.string() })) }) });

function expectStorm(answer: Answer, rule: string): number {
  expectRefusal(answer, 429, "TooManyRequests");
  expect(refusal.parse(answer.json).error.details.map(({ code }) => code)).toEqual([rule]);
  expect(answer.text).toContain(`Refused by the rule ${rule}.`);
  const seconds = Number(answer.headers["retry-after"]);
  expect(seconds).toBeGreaterThan(0);
  return seconds;
}

const costOf = async (stage: Stage, work: () => Promise<Answer>) => {
  const { result, calls } = await stage.faults.watching(work);
  return { answer: result, calls: calls.map(({ method, path }) => `${method} ${path}`) };
};

describe("a refused storm costs at most two round trips", () => {
  test.each([
    ["openUploads", { STAMP_MAX_OPEN_UPLOADS: "1" }, {}],
    ["bundlesPerDay", { STAMP_MAX_BUNDLES_PER_DAY: "1" }, {}],
    ["bytesPerDay", { STAMP_MAX_BYTES_PER_DAY: "5000" }, { sizeBytes: 4000 }],
    ["sameFault", {}, { mode: "proactive" }],
    ["serviceBudget", { SERVICE_MAX_BYTES_PER_DAY: "10000" }, { sizeBytes: 4500 }],
  ])("%s", async (rule, settings, changes) => {
    const stage = limited(settings);
    const stamp = await stage.registeredStamp();
    await stamp.enableConsent();
    expectStatus(await create(stamp, changes), 201);
    await stage.app.world.intake.refresh();
    const { answer, calls } = await costOf(stage, () => create(stamp, changes));
    expectStorm(answer, rule);
    expect(calls.length, calls.join("\n")).toBeLessThanOrEqual(2);
  });

  test("also where it makes up case numbers, after the first few", async () => {
    const stage = limited({ STAMP_MAX_BUNDLES_PER_DAY: "5" });
    const stamp = await stage.registeredStamp();
    for (let n = 0; n < 4; n += 1) expectStatus(await create(stamp), 201);
    const costs: number[] = [];
    for (let n = 0; n < 8; n += 1) {
      const { answer, calls } = await costOf(stage, () => create(stamp, { caseNumber: newCaseNumber() }));
      expectStorm(answer, "bundlesPerDay");
      costs.push(calls.length);
    }
    expect(costs).toEqual([3, 3, 3, 3, 3, 2, 2, 2]);
  });

  test("and what is taken costs no more than without limits", async () => {
    const stage = limited();
    const stamp = await stage.registeredStamp();
    expectStatus(await create(stamp), 201);
    await stage.app.world.intake.refresh();
    const { answer, calls } = await costOf(stage, () => create(stamp));
    expectStatus(answer, 201);
    expect(calls.length, calls.join("\n")).toBeLessThanOrEqual(5);
  });
});

describe("what a storm never takes", () => {
  test("a repeat of a create that was answered is answered again", async () => {
    const stage = limited({ STAMP_MAX_OPEN_UPLOADS: "1", STAMP_MAX_BUNDLES_PER_DAY: "1" });
    const stamp = await stage.registeredStamp();
    const [bundleId, request] = [randomUUID(), await stamp.bundleRequest()];
    const put = () => stamp.call("PUT", stamp.bundlePath(bundleId), request);
    expectStatus(await put(), 201);
    expectStorm(await create(stamp), "openUploads");
    expectStatus(await put(), 200);
    expectRefusal(await create(stamp, {}, bundleId), 409, "BundleConflict");
  });

  test("its place among others: canceling an upload makes room, and another stamp is not in its way", async () => {
    const stage = limited({ STAMP_MAX_OPEN_UPLOADS: "1" });
    const [stamp, other] = [await stage.registeredStamp(), await stage.registeredStamp()];
    const { bundleId } = await stamp.createBundle();
    expectStorm(await create(stamp), "openUploads");
    expectStatus(await create(other), 201);
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:cancel`), 200);
    expectStatus(await create(stamp), 201);
  });

  test("[invariant 8] a second effect of one signature: one that was refused works once, later", async () => {
    const stage = limited({ STAMP_MAX_OPEN_UPLOADS: "1" });
    const stamp = await stage.registeredStamp();
    const { bundleId } = await stamp.createBundle();
    const body = JSON.stringify(await stamp.bundleRequest());
    const path = withVersion(stamp.bundlePath(randomUUID()));
    const headers = { "content-type": "application/json" };
    const request = await signed(stage.origin, stamp.key, { method: "PUT", path, headers, body });
    expectStorm(await stage.send(request), "openUploads");
    expectStorm(await stage.send(request), "openUploads");
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:cancel`), 200);
    expectStatus(await stage.send(request), 201);
    expectRefusal(await stage.send(request), 401, "SignatureReplayed");
  });
});

describe("who goes first", () => {
  test("what an operator sends goes on where proactive collection is refused, and an open case's goes on after that", async () => {
    const stage = limited({ STAMP_MAX_BUNDLES_PER_DAY: "4", SAME_FAULT_QUIET_MINUTES: "0" });
    const stamp = await stage.registeredStamp();
    await stamp.enableConsent();
    const proactive = { mode: "proactive" };
    expectStatus(await create(stamp, proactive), 201);
    expectStatus(await create(stamp, proactive), 201);
    expectStorm(await create(stamp, proactive), "bundlesPerDay");
    expectStatus(await create(stamp), 201);
    expectStatus(await create(stamp), 201);
    const { caseNumber } = await stage.openCase({ stampIds: [stamp.stampId] });
    expectStorm(await create(stamp, { caseNumber }), "bundlesPerDay");
  });

  test("a claim counts only where it really links", async () => {
    const stage = limited({ STAMP_MAX_BUNDLES_PER_DAY: "5", SAME_FAULT_QUIET_MINUTES: "0" });
    const stamp = await stage.registeredStamp();
    await stamp.enableConsent();
    for (let n = 0; n < 4; n += 1) expectStatus(await create(stamp), 201);
    const ofOthers = await stage.openCase({ stampIds: [randomUUID()] });
    const closed = await stage.openCase({ stampIds: [stamp.stampId] });
    await closed.close();
    const open = await stage.openCase({ stampIds: [stamp.stampId] });
    for (const caseNumber of [newCaseNumber(), ofOthers.caseNumber, closed.caseNumber]) {
      expectStorm(await create(stamp, { caseNumber }), "bundlesPerDay");
    }
    expectStatus(await create(stamp, { mode: "proactive", caseNumber: open.caseNumber }), 201);
    expectStorm(await create(stamp, { caseNumber: open.caseNumber }), "bundlesPerDay");
  });
});

describe("the counts", () => {
  test("let no two creates at once take the same last place", async () => {
    const stage = limited({ STAMP_MAX_OPEN_UPLOADS: "2" });
    const stamp = await stage.registeredStamp();
    const answers = await Promise.all(Array.from({ length: 6 }, () => create(stamp)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 429, 429, 429, 429]);
  });

  test("are of a UTC day of the service's clock", async () => {
    const settings = { RATE_LIMITS: "on", STAMP_MAX_BUNDLES_PER_DAY: "1" };
    const stage = stages({ settings });
    const stamp = await stage.registeredStamp();
    expectStatus(await create(stamp), 201);
    expect(expectStorm(await create(stamp), "bundlesPerDay")).toBeLessThanOrEqual(86_400);
    const tomorrow = stage.another({ settings, offsetDays: 1 });
    const raw = { method: "PUT", headers: { "content-type": "application/json" } };
    const path = withVersion(stamp.bundlePath(randomUUID()));
    const body = JSON.stringify(await stamp.bundleRequest());
    expectStatus(await tomorrow.send(await signed(stage.origin, stamp.key, { ...raw, path, body })), 201);
  });

  test("of the whole service are seen by another instance once they are folded", async () => {
    const settings = { RATE_LIMITS: "on", SERVICE_MAX_BYTES_PER_DAY: "10000" };
    const stage = stages({ settings });
    const [stamp, other] = [await stage.registeredStamp(), await stage.registeredStamp()];
    expectStatus(await create(stamp, { sizeBytes: 7000 }), 201);
    await stage.app.timers.foldLedger();
    const instance = stage.another({ settings });
    await instance.app.world.intake.refresh();
    const sent = async (sizeBytes: number) => {
      const path = withVersion(other.bundlePath(randomUUID()));
      const body = JSON.stringify(await other.bundleRequest({ sizeBytes }));
      const headers = { "content-type": "application/json" };
      return instance.send(await signed(stage.origin, other.key, { method: "PUT", path, headers, body }));
    };
    expectStorm(await sent(1001), "serviceBudget");
    expectStatus(await sent(1000), 201);
    // Until the next reading it adds what it has let in itself.
    expectStorm(await sent(1), "serviceBudget");
  });
});
