import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { counted, expectWholeLedger } from "../../support/ledger.ts";
import { approve, deny, pendingRequests } from "../../support/system/approvals.ts";
import type { BundleName, CaseActor } from "../../support/system/cases.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { asked, caseWith, revoke, seen, stampThatAsks } from "./support/asking.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** Two cases use one grant id. An approval lets one engineer of one case do what its stamp was shown, and nothing else. */

const stageOf = useStages();
const slow = 600_000;

const putIn = ({ engineer, path, grantRequest }: CaseActor, grantId: string, bundle: BundleName, changes = {}) =>
  engineer.call("PUT", `${path}/accessGrants/${grantId}`, grantRequest([bundle], changes));

/** The grant is committed in its case, and the service dies before it asks any stamp. */
async function putAndDie(stage: Stage, supportCase: CaseActor, grantId: string, bundle: BundleName): Promise<void> {
  const { calls } = await stage.faults.watching(() => putIn(supportCase, randomUUID(), bundle));
  const inCase = calls.findIndex(({ path }) => path.includes("$batch")) + 1;
  await stage.faults
    .during("answerLostAndOutage", inCase, () => putIn(supportCase, grantId, bundle))
    .catch(() => undefined);
  expect((await seen(supportCase, grantId, stage)).state).toBe("pendingApproval");
}

/** The sweeper's round a few hours later. */
const sweep = (stage: Stage) => stage.another({ offsetDays: 0.1 }).runTimer("sweepUnfinished");

test("[invariant 5] an approved grant id is GrantConflict in another case, and lends nothing there", async () => {
  const stage = stageOf();
  const { stamp, bundle, supportCase, grant } = await asked(stage);
  const other = await caseWith(stage, bundle);
  expectRefusal(await putIn(other, grant.grantId, bundle), 409, "GrantConflict");
  expectStatus(await approve(stamp, grant.grantId), 200);
  for (const changes of [{}, { durationMinutes: 480 }, { purpose: "productHealth" }]) {
    expectRefusal(await putIn(other, grant.grantId, bundle, changes), 409, "GrantConflict");
  }
  expectRefusal(await other.issueUrl(grant.grantId, bundle), 404, "NotFound");
  expect(counted(await stage.events(other.partition))["grant.requested"]).toBeUndefined();
  expectStatus(await supportCase.issueUrl(grant.grantId, bundle), 200);
});

test("[invariant 5] of two cases that ask under one id at once, the one that the stamp was asked for is lent", async () => {
  const stage = stageOf();
  const instances = [stage, stage.another()];
  const { stamp, bundle } = await stampThatAsks(stage);
  const cases = [await caseWith(stage, bundle), await caseWith(stage, bundle)];
  for (let round = 0; round < 6; round += 1) {
    const grantId = randomUUID();
    const codes = await Promise.all(
      cases.map(async ({ engineer, path, grantRequest }, index) => {
        const by = await instances[index]?.person("E", engineer.oid);
        return (await by?.call("PUT", `${path}/accessGrants/${grantId}`, grantRequest([bundle])))?.status;
      }),
    );
    expect(codes.toSorted()).toEqual([201, 409]);
    const winner = cases[codes.indexOf(201)];
    const loser = cases[codes.indexOf(409)];
    if (winner === undefined || loser === undefined) throw new Error("One wins, one loses");
    expectStatus(await approve(stamp, grantId), 200);
    expectStatus(await winner.issueUrl(grantId, bundle), 200);
    const refused = await loser.issueUrl(grantId, bundle);
    expect([403, 404]).toContain(refused.status);
    expectRefusal(await putIn(loser, grantId, bundle), 409, "GrantConflict");
  }
  expectWholeLedger(await stage.events());
});

test("[invariant 5] a grant whose id was taken before its stamp was asked ends, and leaves the other's request alone", {
  timeout: slow,
}, async () => {
  const stage = stageOf();
  const { stamp, bundle } = await stampThatAsks(stage);
  const [first, second, third] = [
    await caseWith(stage, bundle),
    await caseWith(stage, bundle),
    await caseWith(stage, bundle),
  ];
  const grantId = randomUUID();
  await putAndDie(stage, first, grantId, bundle);
  await putAndDie(stage, second, grantId, bundle);
  expectStatus(await putIn(third, grantId, bundle, { durationMinutes: 480 }), 201);

  // Revoking a grant closes its own request only.
  expectStatus(await revoke(first, grantId), 200);
  const waits = async () => (await pendingRequests(stamp)).filter((each) => each.grantId === grantId);
  expect(await waits()).toMatchObject([{ caseNumber: third.caseNumber }]);
  await sweep(stage);
  expect((await seen(second, grantId, stage)).ended?.reason).toBe("grantConflict");
  expect(await waits()).toMatchObject([{ caseNumber: third.caseNumber }]);

  expectStatus(await approve(stamp, grantId), 200);
  await sweep(stage);
  for (const loser of [first, second]) {
    expectRefusal(await loser.issueUrl(grantId, bundle), 403, "GrantNotActive");
  }
  expectRefusal(await putIn(second, grantId, bundle), 409, "GrantConflict");
  expectStatus(await third.issueUrl(grantId, bundle), 200);
  expect(counted(await stage.events(second.partition))).toMatchObject({ "grant.ended": 1 });
  expectStatus(await deny(stamp, grantId), 200);
  expectRefusal(await third.issueUrl(grantId, bundle), 403, "GrantNotActive");
});

test("[invariant 5] request, answer and activation carry one digest of what was asked, with roles and duration", async () => {
  const stage = stageOf();
  const { stamp, bundle } = await stampThatAsks(stage);
  const supportCase = await caseWith(stage, bundle);
  const roles = ["Compute", "Storage"];
  const given = [
    await supportCase.grant([bundle], { roles, durationMinutes: 90 }),
    await supportCase.grant([bundle], { roles, durationMinutes: 91 }),
  ];
  for (const { grantId } of given) expectStatus(await approve(stamp, grantId), 200);
  const events = [...(await stage.events(stamp.partition)), ...(await stage.events(supportCase.partition))];
  const digests = given.map(({ grantId }) => {
    const told = events.filter(({ data, type }) => data.grantId === grantId && /^(access|grant)\./.test(type));
    expect(told.map(({ type }) => type)).toEqual([
      "access.requested",
      "access.approved",
      "grant.requested",
      "grant.activated",
    ]);
    for (const { type, data } of told) {
      if (type !== "access.approved") expect(data).toMatchObject({ roles, durationMinutes: expect.any(Number) });
    }
    const all = new Set(told.map(({ data }) => data.askedDigest));
    expect(all.size).toBe(1);
    expect([...all][0]).toMatch(/^[0-9a-f]{64}$/);
    return [...all][0];
  });
  expect(new Set(digests).size).toBe(2);
});
