import { TableClient } from "@azure/data-tables";
import { expect, test } from "vitest";
import { z } from "zod";
import { pseudonymOf, subjectId } from "../../../shared/domain/people.ts";
import { approve, pendingRequests, setApproval } from "../../support/system/approvals.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import { accessPage, accessRequestPage, stampGrantPage } from "../../support/system/shapes.ts";
import { type StampActor, stampActor } from "../../support/system/stamp.ts";
import { type Person, readAll } from "../../support/system/world.ts";
import { accepted } from "./support/bundles.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** What customers are told of the engineers who read their bundles: a pseudonym that is of no use outside of one stamp. */

const stageOf = useStages();

/** A stamp whose operator approved what the engineer reads, in a case of its own. */
async function readBy(stage: Stage, engineer: Person) {
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId], engineers: [engineer] });
  expectStatus(await supportCase.link(bundle), 201);
  const free = await supportCase.grant([bundle]);
  await supportCase.url(free.grantId, bundle);
  expectStatus(await setApproval(stamp, "required"), 200);
  const waiting = await supportCase.grant([bundle]);
  const approved = await supportCase.grant([bundle]);
  expectStatus(await approve(stamp, approved.grantId), 200);
  await supportCase.url(approved.grantId, bundle);
  return { stamp, supportCase, waiting };
}

/** Everything that an engineer is called in, and all that was answered. */
async function calledBy(stamp: StampActor) {
  const accesses = await readAll(stamp.call, `${stamp.path}/accesses`);
  const grants = await readAll(stamp.call, `${stamp.path}/accessGrants`);
  const requests = await readAll(stamp.call, `${stamp.path}/accessRequests`);
  const names = [
    ...accessPage.parse({ value: accesses }).value.map(({ accessor }) => accessor),
    ...stampGrantPage.parse({ value: grants }).value.map(({ grantee }) => grantee),
    ...accessRequestPage.parse({ value: requests }).value.map(({ engineer }) => engineer),
  ];
  expect(names).toHaveLength(2 + 3 + 1);
  return { names: new Set(names), told: JSON.stringify([accesses, grants, requests]) };
}

const subjectOf = ({ app }: Stage, { oid }: Person) => app.world.people.subjectOf({ scope: "entra", identity: oid });

test("an engineer has one pseudonym on each stamp, and another on each", async () => {
  const stage = stageOf();
  const engineer = await stage.engineer();
  const [one, other] = [await readBy(stage, engineer), await readBy(stage, engineer)];
  const subject = await subjectOf(stage, engineer);
  const [ofOne, ofOther] = [await calledBy(one.stamp), await calledBy(other.stamp)];
  expect(ofOne.names.size).toBe(1);
  expect(ofOther.names.size).toBe(1);
  expect(ofOne.names).not.toEqual(ofOther.names);
  for (const { told } of [ofOne, ofOther]) {
    for (const hidden of [subject, engineer.oid]) expect(told).not.toContain(hidden);
  }
  const auditor = await stage.person("A");
  const audited = accessPage.parse({ value: await readAll(auditor.call, `${one.stamp.path}/accesses`) });
  expect(new Set(audited.value.map(({ accessor }) => accessor))).toEqual(new Set([engineer.oid]));
});

test("every instance gives the same pseudonym, also those that make the first one at once", async () => {
  const stage = stageOf();
  const engineer = await stage.engineer();
  const { stamp, waiting } = await readBy(stage, engineer);
  const instances = Array.from({ length: 6 }, () => stage.another());
  const named = await Promise.all(
    instances.map(async (each) => {
      const request = (await pendingRequests(stampActor(each, stamp))).find(
        ({ grantId }) => grantId === waiting.grantId,
      );
      return request?.engineer;
    }),
  );
  expect(named[0]).toBeDefined();
  expect(new Set(named).size).toBe(1);
  expect((await calledBy(stamp)).names).toEqual(new Set(named));
});

test("[invariant 9] the pseudonym of whoever was forgotten stays, and leads to nobody; the ledger holds no key to it", async () => {
  const stage = stageOf();
  const engineer = await stage.engineer();
  const { stamp } = await readBy(stage, engineer);
  const before = (await calledBy(stamp)).names;
  const subject = await subjectOf(stage, engineer);
  expectStatus(await (await stage.person("R")).call("POST", `/people/${subject}:forget`), 204);
  expect((await calledBy(stageLater(stage, stamp))).names).toEqual(before);
  const auditor = await stage.person("A");
  const audited = accessPage.parse({ value: await readAll(auditor.call, `${stamp.path}/accesses`) });
  expect(new Set(audited.value.map(({ accessor }) => accessor))).toEqual(new Set([subject]));

  const ledger = JSON.stringify(await stage.events());
  for (const pseudonym of before) expect(ledger).not.toContain(pseudonym);
  const key = await keyIn(stage);
  expect(ledger).not.toContain(key);
  expect(stage.logged.join("\n")).not.toContain(key);
  expect(before).toEqual(new Set([pseudonymOf(key, stamp.stampId, subjectId.parse(subject))]));
});

async function keyIn({ connectionString }: Stage): Promise<string> {
  const people = TableClient.fromConnectionString(connectionString, "people", { allowInsecureConnection: true });
  const { json0 } = z.looseObject({ json0: z.string() }).parse(await people.getEntity("pseudonyms", "key"));
  return z.object({ key: z.string() }).parse(JSON.parse(json0)).key;
}

const stageLater = (stage: Stage, stamp: StampActor): StampActor => stampActor(stage.another(), stamp);
