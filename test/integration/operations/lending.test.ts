import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { grantRequest } from "../../../shared/api/cases.ts";
import { bundleId, caseNumber, grantId, stampId } from "../../../shared/api/primitives.ts";
import { putGrant } from "../../../shared/operations/cases/grants.ts";
import { issueUrl } from "../../../shared/operations/cases/issueUrl.ts";
import { HeadMoved, type World } from "../../../shared/operations/needs.ts";
import { counted } from "../../support/ledger.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import { bundlePage } from "../../support/system/shapes.ts";
import type { Person } from "../../support/system/world.ts";
import { accepted } from "./support/bundles.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** Lending, and what each of those who look sees of it (invariant 5). */

const stageOf = useStages();

async function lent(stage: Stage) {
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const grant = await supportCase.grant([bundle]);
  return { stamp, bundle, supportCase, grant };
}

test("[invariant 5] a URL whose case was changed meanwhile is one access, not two", async () => {
  const stage = stageOf();
  const { stamp, bundle, supportCase, grant } = await lent(stage);
  const { world } = stage.app;
  let overtaken = 0;
  const busy: World = {
    ...world,
    cases: {
      ...world.cases,
      commit: async (...change) => {
        overtaken += 1;
        if (overtaken < 3) throw new HeadMoved("overtaken (a test)");
        return await world.cases.commit(...change);
      },
    },
  };
  const caller = await callerOf(stage, supportCase.engineer);
  const at = { caseNumber: caseNumber.parse(supportCase.caseNumber), grantId: grantId.parse(grant.grantId) };
  const asked = { stampId: stampId.parse(bundle.stampId), bundleId: bundleId.parse(bundle.bundleId) };
  await issueUrl(busy, caller, at, asked);

  expect(counted(await stage.events(stamp.partition))["bundle.accessed"]).toBe(1);
  expect(counted(await stage.events(supportCase.partition))["url.issued"]).toBe(1);
});

test("an engineer sees of a bundle's cases only the one that they look at", async () => {
  const stage = stageOf();
  const { stamp, supportCase } = await lent(stage);
  const foreign = await stage.openCase({ stampIds: [stamp.stampId] });
  const { bundle } = await accepted(stage, stamp, { caseNumber: foreign.caseNumber });
  const listOf = async (by: Person, query = {}) => {
    const answer = expectStatus(await by.call("GET", `${supportCase.path}/bundles`, undefined, { query }), 200);
    return bundlePage.parse(answer.json).value.find(({ bundleId }) => bundleId === bundle.bundleId);
  };
  expect(await listOf(supportCase.engineer, { candidates: "true" })).toMatchObject({ links: [] });
  expect(await listOf(supportCase.engineer, { candidates: "true" })).not.toHaveProperty("caseNumber");

  expectStatus(await supportCase.link(bundle), 201);
  const own = { caseNumber: supportCase.caseNumber };
  expect((await listOf(supportCase.engineer))?.links).toMatchObject([own]);
  expect((await listOf(await stage.person("C")))?.links).toMatchObject([{ caseNumber: foreign.caseNumber }, own]);
});

test("the refusal of a grant is that of the first bundle named, whichever is read first", async () => {
  const stage = stageOf();
  const { stamp, bundle: linked, supportCase } = await lent(stage);
  const { bundle: unlinked } = await accepted(stage, stamp);
  expectStatus(
    await stamp.call("POST", `${stamp.bundlePath(linked.bundleId)}:erase`, { decidedBy: "operator", reason: "Wrong" }),
    202,
  );
  const { world } = stage.app;
  const firstComesLast: World = {
    ...world,
    stamps: {
      ...world.stamps,
      bundle: async (stamp, id) => {
        const read = await world.stamps.bundle(stamp, id);
        if (id === unlinked.bundleId) await sleep(100);
        return read;
      },
    },
  };
  const said = supportCase.grantRequest([unlinked, linked]);
  const put = putGrant(
    firstComesLast,
    await callerOf(stage, supportCase.engineer),
    caseNumber.parse(supportCase.caseNumber),
    grantId.parse(randomUUID()),
    grantRequest.parse(said),
    { ifMatch: undefined },
  );
  await expect(put).rejects.toMatchObject({ code: "BundleNotLinked" });
});

async function callerOf(stage: Stage, { oid }: Person) {
  const subject = await stage.app.world.people.subjectOf({ scope: "entra", identity: oid });
  return { kind: "token", role: "E", oid, subject } as const;
}
