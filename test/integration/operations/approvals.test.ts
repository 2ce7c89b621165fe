import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { counted, expectWholeLedger } from "../../support/ledger.ts";
import { approve, denial, deny, pendingRequests, setApproval } from "../../support/system/approvals.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import type { Answer } from "../../support/system/http.ts";
import { grantShape } from "../../support/system/shapes.ts";
import { type StampActor, stampActor } from "../../support/system/stamp.ts";
import { type Asked, asked, caseWith, revoke, seen, stampThatAsks } from "./support/asking.ts";
import { accepted } from "./support/bundles.ts";
import { expectToOutlive } from "./support/outages.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** The customer's approval of access: at the edges of its time, two at once, and with storage that fails at each call. */

const stageOf = useStages();
const slow = 600_000;

test("[invariant 5] what was not approved within four days lapses, and is approved no more", async () => {
  const stage = stageOf();
  const { stamp, bundle, supportCase, grant } = await asked(stage);
  expect(Date.parse(grant.expiresOn) - Date.parse(grant.startsOn)).toBe(4 * 86_400_000);

  const later = stage.another({ offsetDays: 4.01 });
  const stampLater = stampActor(later, stamp);
  expect(await seen(supportCase, grant.grantId, later)).toMatchObject({
    state: "ended",
    ended: { reason: "approvalLapsed", on: grant.expiresOn },
  });
  expect(await pendingRequests(stampLater)).toEqual([]);
  const refusal = expectRefusal(await approve(stampLater, grant.grantId), 409, "InvalidState");
  expect(refusal.details).toMatchObject([{ code: "approvalLapsed" }]);
  await later.runTimer("sweepUnfinished");
  expect(counted(await stage.events(stamp.partition))).toMatchObject({ "access.requestClosed": 1 });
  expect(counted(await stage.events(supportCase.partition))).toMatchObject({ "grant.ended": 1 });
  const engineer = await later.person("E", supportCase.engineer.oid);
  const body = { stampId: bundle.stampId, bundleId: bundle.bundleId };
  const lend = await engineer.call("POST", `${supportCase.path}/accessGrants/${grant.grantId}:issueUrl`, body);
  expectRefusal(lend, 403, "GrantNotActive");
});

test("[invariant 5] approved access lasts from its approval, as long as was asked for", async () => {
  const stage = stageOf();
  const { stamp, bundle, supportCase, grant } = await asked(stage);
  const soon = stage.another({ offsetDays: 3 });
  expectStatus(await approve(stampActor(soon, stamp), grant.grantId), 200);
  const active = await seen(supportCase, grant.grantId, soon);
  expect(active.state).toBe("active");
  expect(Date.parse(active.expiresOn) - Date.parse(active.startsOn)).toBe(60 * 60_000);
  expect(Date.parse(active.startsOn) - Date.parse(grant.startsOn)).toBeGreaterThan(2.9 * 86_400_000);
  const engineer = await soon.person("E", supportCase.engineer.oid);
  const body = { stampId: bundle.stampId, bundleId: bundle.bundleId };
  expectStatus(await engineer.call("POST", `${supportCase.path}/accessGrants/${grant.grantId}:issueUrl`, body), 200);
  expect((await seen(supportCase, grant.grantId, stage.another({ offsetDays: 3.1 }))).ended?.reason).toBe("expired");
});

test("[invariant 5] a grant over bundles of several stamps needs the approval of each that asks, and no more", async () => {
  const stage = stageOf();
  const [one, two] = [await stampThatAsks(stage), await stampThatAsks(stage)];
  const free = await stage.registeredStamp();
  const { bundle: freeBundle } = await accepted(stage, free);
  const supportCase = await caseWith(stage, one.bundle, two.bundle, freeBundle);
  const grant = await supportCase.grant([one.bundle, two.bundle, freeBundle]);
  expect(grant.approval?.stampIds.toSorted()).toEqual([one.stamp.stampId, two.stamp.stampId].toSorted());
  expect(await pendingRequests(free)).toEqual([]);

  expectStatus(await approve(one.stamp, grant.grantId), 200);
  for (const bundle of [one.bundle, two.bundle, freeBundle]) {
    expectRefusal(await supportCase.issueUrl(grant.grantId, bundle), 403, "GrantNotActive");
  }
  expectStatus(await approve(two.stamp, grant.grantId), 200);
  expectStatus(await supportCase.issueUrl(grant.grantId, one.bundle), 200);
  expectStatus(await supportCase.issueUrl(grant.grantId, freeBundle), 200);

  // No stamp hears of another one's part in it.
  const [request] = (await stage.events(one.stamp.partition)).filter(({ type }) => type === "access.requested");
  expect(request?.data.bundles).toEqual([one.bundle.bundleId]);
  expect(JSON.stringify((await one.stamp.call("GET", `${one.stamp.path}/accessGrants`)).json)).not.toContain(
    two.stamp.stampId,
  );

  const second = await supportCase.grant([one.bundle, two.bundle]);
  expectStatus(await approve(one.stamp, second.grantId), 200);
  expectStatus(await deny(two.stamp, second.grantId), 200);
  expect((await seen(supportCase, second.grantId, stage)).ended?.reason).toBe("denied");
  expectRefusal(await supportCase.issueUrl(second.grantId, one.bundle), 403, "GrantNotActive");
});

test("[invariant 5] a grant that was given while approval was being switched on lends nothing without it", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  const supportCase = await caseWith(stage, bundle);
  const before = await supportCase.grant([bundle]);

  const path = `${supportCase.path}/accessGrants/${randomUUID()}`;
  const hold = stage.faults.holdNext(({ method, url }) => method === "POST" && url.includes("$batch"));
  const beforePut = stage.now();
  const putting = supportCase.engineer.call("PUT", path, supportCase.grantRequest([bundle]));
  await hold.reached;
  const other = stage.another();
  // The held grant has its time already; the setting's is made earlier than it only by the clock of its own instance.
  const early = stage.another({ now: () => beforePut });
  expectStatus(await setApproval(stampActor(early, stamp), "required"), 200);
  hold.letGo();
  const late = grantShape.parse(expectStatus(await putting, 201).json);
  expect(late.state).toBe("active");
  const refusal = expectRefusal(await supportCase.issueUrl(late.grantId, bundle), 403, "GrantNotActive");
  expect(refusal.details).toMatchObject([{ code: "approvalRequired" }]);
  expect((await seen(supportCase, before.grantId, other)).state).toBe("active");
});

test.each([
  ["closing the case", (stage: Stage, on: Asked) => on.supportCase.close().then(() => stage), "caseClosed"],
  ["unassigning", (stage: Stage, on: Asked) => on.supportCase.put({ assignees: [] }).then(() => stage), "unassigned"],
  ["revoking", (stage: Stage, on: Asked) => revoke(on.supportCase, on.grant.grantId).then(() => stage), "revoked"],
  ["erasing its bundle", (_: Stage, on: Asked) => erase(on), "bundleErased"],
  ["disabling the stamp", disableAndEnable, "stampDisabled"],
])("[invariant 5] %s ends a grant that waits, and nobody is asked any more", async (_, end, reason) => {
  const stage = stageOf();
  const on = await asked(stage);
  await end(stage, on);
  expect((await seen(on.supportCase, on.grant.grantId, stage)).ended?.reason).toBe(reason);
  expect(await pendingRequests(on.stamp)).toEqual([]);
  const refusal = expectRefusal(await approve(on.stamp, on.grant.grantId), 409, "InvalidState");
  expect(refusal.details).toMatchObject([{ code: reason }]);
});

const erase = ({ stamp, bundle }: Asked) => stamp.call("POST", `${stamp.bundlePath(bundle.bundleId)}:erase`, denial);

async function disableAndEnable(stage: Stage, { stamp }: Asked) {
  const { call } = await stage.person("R");
  expectStatus(await call("POST", `${stamp.path}:disable`, { reason: "lost" }), 200);
  return expectStatus(await call("POST", `${stamp.path}:enable`), 200);
}

test("[invariant 9] an operator's reason is in no event, and the operator can be forgotten", async () => {
  const stage = stageOf();
  const { stamp, grant, supportCase } = await asked(stage);
  expectStatus(await deny(stamp, grant.grantId), 200);
  const path = `${supportCase.path}/accessGrants/${grant.grantId}`;
  const shown = async () => expectStatus(await supportCase.engineer.call("GET", path), 200).json;
  expect(await shown()).toMatchObject({ ended: { reason: "denied", message: denial.reason } });
  expect((await stamp.call("GET", `${stamp.path}/accessGrants`)).text).not.toContain(denial.reason);
  const events = await stage.events(stamp.partition);
  expect(JSON.stringify(events)).not.toMatch(/lawyers|contoso\.example|customer waits/);
  const denied = events.find(({ type }) => type === "access.denied");
  const { call } = await stage.person("R");
  expectStatus(await call("POST", `/people/${denied?.data.decidedBy}:forget`), 204);
  expect(await shown()).toMatchObject({ ended: { reason: "denied" } });
  expect(JSON.stringify(await shown())).not.toContain(denial.reason);
  const answer = expectStatus(await stamp.call("GET", `${stamp.path}/accessApproval`), 200).json;
  expect(answer).toMatchObject({ mode: "required" });
  expect(answer).not.toHaveProperty("decidedBy");
});

const rounds = 8;

async function race(left: () => Promise<Answer>, right: () => Promise<Answer>): Promise<readonly [Answer, Answer]> {
  const ahead = Math.random() * 24 - 12;
  const later = async (wait: number, act: () => Promise<Answer>) => {
    await pause(Math.max(0, wait));
    return act();
  };
  return await Promise.all([later(ahead, left), later(-ahead, right)]);
}

const code = ({ status, headers }: Answer): string => headers["x-ms-error-code"] ?? String(status);

async function raced(act: (on: Asked, other: StampActor) => readonly [() => Promise<Answer>, () => Promise<Answer>]) {
  const stage = stageOf();
  const other = stage.another();
  const { stamp, bundle } = await stampThatAsks(stage);
  const supportCase = await caseWith(stage, bundle);
  const outcomes: { codes: string; on: Asked; state: string; url: string }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const grant = await supportCase.grant([bundle]);
    const on = { stamp, bundle, supportCase, grant };
    const answers = await race(...act(on, stampActor(other, stamp)));
    outcomes.push({
      codes: answers.map(code).join(" "),
      on,
      state: (await seen(supportCase, grant.grantId, stage)).state,
      url: code(await supportCase.issueUrl(grant.grantId, bundle)),
    });
  }
  expectWholeLedger(await stage.events());
  return outcomes;
}

test("[invariant 5] approve and revoke at once: the grant has ended", { timeout: slow }, async () => {
  const outcomes = await raced((on, other) => [
    () => approve(other, on.grant.grantId),
    () => revoke(on.supportCase, on.grant.grantId),
  ]);
  for (const { codes, state, url } of outcomes) {
    expect(["200 200", "InvalidState 200"]).toContain(codes);
    expect([state, url]).toEqual(["ended", "GrantNotActive"]);
  }
});

test("two approve at once: it is approved once", { timeout: slow }, async () => {
  const outcomes = await raced((on, other) => [
    () => approve(other, on.grant.grantId),
    () => approve(on.stamp, on.grant.grantId),
  ]);
  for (const { codes, state, url, on } of outcomes) {
    expect([codes, state, url]).toEqual(["200 200", "active", "200"]);
    expect((await pendingRequests(on.stamp)).length).toBe(0);
  }
});

test("[invariant 5] approve and deny at once: nothing is lent", { timeout: slow }, async () => {
  const outcomes = await raced((on, other) => [
    () => approve(other, on.grant.grantId),
    () => deny(on.stamp, on.grant.grantId),
  ]);
  for (const { codes, state, url } of outcomes) {
    expect(["200 200", "InvalidState 200"]).toContain(codes);
    expect([state, url]).toEqual(["ended", "GrantNotActive"]);
  }
});

/** The sweeper's round a few hours later, when it has looked at everything once. */
const sweep = (stage: Stage) => stage.another({ offsetDays: 0.1 }).runTimer("sweepUnfinished");

test("[invariant 7] an outage at each call of asking for access that needs approval", { timeout: slow }, async () => {
  const stage = stageOf();
  const { stamp, bundle } = await stampThatAsks(stage);
  const supportCase = await caseWith(stage, bundle);
  await expectToOutlive(stage, async () => {
    const grantId = randomUUID();
    return {
      act: () =>
        supportCase.engineer.call(
          "PUT",
          `${supportCase.path}/accessGrants/${grantId}`,
          supportCase.grantRequest([bundle]),
        ),
      writes: { [supportCase.partition]: { "grant.requested": 1 }, [stamp.partition]: { "access.requested": 1 } },
      holds: async () => {
        expect((await pendingRequests(stamp)).filter((each) => each.grantId === grantId)).toHaveLength(1);
      },
    };
  });
});

test.each([
  ["approving", approve, { "access.approved": 1 }, { "grant.activated": 1 }, "active"],
  ["denying", deny, { "access.denied": 1 }, { "grant.ended": 1 }, "ended"],
] as const)("[invariant 1] an outage at each call of %s", { timeout: slow }, async (_, act, inStamp, inCase, state) => {
  const stage = stageOf();
  const { stamp, bundle } = await stampThatAsks(stage);
  const supportCase = await caseWith(stage, bundle);
  await expectToOutlive(stage, async () => {
    const { grantId } = await supportCase.grant([bundle]);
    return {
      act: () => act(stamp, grantId),
      writes: { [stamp.partition]: inStamp, [supportCase.partition]: inCase },
      holds: async () => expect((await seen(supportCase, grantId, stage)).state).toBe(state),
    };
  });
});

test("who dies between an answer and its effect leaves it to the sweeper", { timeout: slow }, async () => {
  const stage = stageOf();
  const { stamp, bundle } = await stampThatAsks(stage);
  const supportCase = await caseWith(stage, bundle);
  const rehearsal = await supportCase.grant([bundle]);
  const { calls } = await stage.faults.watching(() => approve(stamp, rehearsal.grantId));
  const commits = calls.flatMap((call, index) => (call.path.includes("$batch") ? [index + 1] : []));
  expect(commits.length).toBe(2);
  const { grantId } = await supportCase.grant([bundle]);
  const [first = 0] = commits;
  await stage.faults.during("answerLostAndOutage", first, () => approve(stamp, grantId)).catch(() => undefined);
  expect((await seen(supportCase, grantId, stage)).state).toBe("pendingApproval");
  await sweep(stage);
  const active = await seen(supportCase, grantId, stage.another());
  expect(active.approval).toHaveProperty("approvedOn");
  expect(Date.parse(active.expiresOn) - Date.parse(active.startsOn)).toBe(60 * 60_000);

  const path = `${supportCase.path}/accessGrants/${randomUUID()}`;
  const request = supportCase.grantRequest([bundle]);
  const put = () => supportCase.engineer.call("PUT", path, request);
  const { calls: puts } = await stage.faults.watching(() => put());
  const inCase = puts.findIndex((call) => call.path.includes("$batch")) + 1;
  const lost = `${supportCase.path}/accessGrants/${randomUUID()}`;
  await stage.faults
    .during("answerLostAndOutage", inCase, () => supportCase.engineer.call("PUT", lost, request))
    .catch(() => undefined);
  const waiting = (await pendingRequests(stamp)).length;
  await sweep(stage);
  expect((await pendingRequests(stamp)).length).toBe(waiting + 1);
});
