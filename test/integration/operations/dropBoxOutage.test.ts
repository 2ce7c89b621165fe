import { randomUUID } from "node:crypto";
import { QueueClient } from "@azure/storage-queue";
import { expect, test } from "vitest";
import { z } from "zod";
import { dropBoxId as dropBoxIdSchema } from "../../../shared/api/primitives.ts";
import { senderOf } from "../../../shared/domain/dropBox.ts";
import type { CaseActor } from "../../support/system/cases.ts";
import { dropBoxRequest, dropBoxShape } from "../../support/system/dropBoxes.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import { dropBoxBundleShape } from "../../support/system/shapes.ts";
import { readAll } from "../../support/system/world.ts";
import { makeZip } from "../../support/system/zip.ts";
import { blobsIn } from "./support/bundles.ts";
import { boxContainers, bundlesOf, empty, findings, openDropBox, verifiedBundlesOf } from "./support/dropBoxes.ts";
import { expectNoOrphans, expectToOutlive } from "./support/outages.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** A storage outage at every call of what a drop box does: nothing lost, nothing twice, nothing left behind (invariants 1, 2 and 7). */

const stageOf = useStages();
const slow = 600_000;

/** The messages of the queue `verify`. */
async function received({ connectionString }: Stage): Promise<unknown[]> {
  const queue = new QueueClient(connectionString, "verify");
  await queue.createIfNotExists();
  const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
  return receivedMessageItems.map(({ messageText }) => JSON.parse(Buffer.from(messageText, "base64").toString()));
}

const dropBoxPage = z.looseObject({ value: z.array(dropBoxShape) });

/** What the day containers hold. */
const copiesIn = async (stage: Stage): Promise<string[]> =>
  (await blobsIn(stage)).flatMap((name) => /^bundles-\d+\/(.+)$/.exec(name)?.slice(1) ?? []);

/** All bundles of a box, also those whose files have one name. */
const arrivedIn = async (stage: Stage, { partition }: { partition: string }) =>
  z.array(dropBoxBundleShape).parse(await readAll((await stage.person("A")).call, `/${partition}/bundles`));

const later = (stage: Stage) => stage.another({ offsetDays: 0.05 });

test("[invariant 1] [invariant 2] an outage at each call of opening a drop box", { timeout: slow }, async () => {
  const stage = stageOf();
  const supportCase = await stage.openCase();
  const request = await dropBoxRequest(stage);
  await expectToOutlive(stage, async () => {
    const dropBoxId = dropBoxIdSchema.parse(randomUUID());
    return {
      act: () => supportCase.engineer.call("PUT", `${supportCase.path}/dropBoxes/${dropBoxId}`, request),
      writes: {
        [`stamps/${senderOf(dropBoxId)}`]: { "dropBox.opened": 1 },
        [supportCase.partition]: { "dropBox.added": 1 },
      },
    };
  });
  expect(await findings(stage)).toEqual([]);
});

test("[invariant 2] a drop box whose opening died is open on its case, or leaves nothing behind", {
  timeout: slow,
}, async () => {
  const stage = stageOf();
  const request = await dropBoxRequest(stage);
  const put = async () => {
    const supportCase = await stage.openCase();
    const path = `${supportCase.path}/dropBoxes/${randomUUID()}`;
    return { supportCase, act: () => supportCase.engineer.call("PUT", path, request) };
  };
  // The very first request makes tables and fixes the day's date: later ones make fewer calls.
  await (await put()).act();
  const { calls } = await stage.faults.watching((await put()).act);
  const listed = async ({ path, engineer }: CaseActor) =>
    dropBoxPage.parse((await engineer.call("GET", `${path}/dropBoxes`)).json).value;
  const open: string[] = [];
  for (let n = 1; n <= calls.length; n += 1) {
    const { supportCase, act } = await put();
    const answer = await stage.faults.during("answerLostAndOutage", n, act);
    expect(answer.status, `call ${n}`).toBe(503);
    open.push(...(await listed(supportCase)).map(({ dropBoxId }) => dropBoxId));
  }
  await later(stage).runTimer("sweepUnfinished");
  for (const message of await received(stage)) await stage.app.queues.verify(message);
  // The first two were opened whole.
  expect(await boxContainers(stage)).toHaveLength(2 + open.length);
  expect(open.length).toBeLessThan(calls.length / 2);
  expect(await findings(later(stage))).toEqual([]);
  await expectNoOrphans(stage);
});

test("[invariant 1] [invariant 7] an outage at each call of closing a drop box", { timeout: slow }, async () => {
  const stage = stageOf();
  const zip = await makeZip();
  const partitions: string[] = [];
  await expectToOutlive(stage, async () => {
    const box = await openDropBox(stage, await stage.openCase());
    partitions.push(box.partition);
    await box.write("logs/Storage.zip", zip);
    await box.write("logs/output.log", "output");
    const engineer = await stage.person("C");
    return {
      act: async () => {
        const answer = await engineer.call("POST", `${box.path}:close`);
        if (answer.status === 200) await empty(stage, box.dropBoxId);
        return answer;
      },
      writes: {
        [box.partition]: {
          "dropBox.closing": 1,
          "bundle.created": 2,
          "bundle.submitted": 2,
          "dropBox.emptied": 1,
          "dropBox.closed": 1,
        },
      },
      // Whoever died has a claim that ends by itself.
      heal: () => empty(later(stage), box.dropBoxId),
      holds: async () => {
        expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 2, refused: [] } });
        await expect(box.write("late.log", "late")).rejects.toMatchObject({ statusCode: 404 });
      },
    };
  });
  expect(await boxContainers(stage)).toEqual([]);
  expect(await findings(stage)).toEqual([]);
});

test("[invariant 7] an outage at each call of verifying what arrived", { timeout: slow }, async () => {
  const stage = stageOf();
  const zip = await makeZip();
  const supportCase = await stage.openCase();
  await expectToOutlive(stage, async () => {
    const box = await openDropBox(stage, supportCase);
    await box.write("logs.zip", zip);
    await box.close();
    const { "logs.zip": bundle } = await bundlesOf(stage, box);
    if (bundle === undefined) throw new Error("Nothing arrived");
    return {
      act: async () => {
        await stage.verify(bundle);
        return undefined;
      },
      writes: {
        [box.partition]: { "bundle.caseAdded": 1, "bundle.accepted": 1 },
        [supportCase.partition]: { "bundle.linked": 1 },
      },
      heal: async () => {
        await later(stage).runTimer("sweepUnfinished");
        await verifiedBundlesOf(later(stage), box);
        await later(stage).runTimer("sweepUnfinished");
      },
    };
  });
  await expectNoOrphans(stage);
});

test("a box whose emptying died is asked for again by the sweeper, and one whose message was lost", {
  timeout: slow,
}, async () => {
  const stage = stageOf();
  const { faults } = stage;
  const box = await openDropBox(stage, await stage.openCase());
  await box.write("logs.zip", await makeZip());
  faults.failWhere(({ url }) => url.includes("/verify/messages"));
  expectStatus(await (await stage.person("C")).call("POST", `${box.path}:close`), 200);
  faults.failWhere(undefined);
  expect(await received(stage)).toEqual([]);
  await later(stage).runTimer("sweepUnfinished");
  expect(await received(stage)).toEqual([expect.objectContaining({ dropBoxId: box.dropBoxId })]);
  await empty(stage, box.dropBoxId);
  expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 1 } });
});

test("[invariant 3] a box that cannot be listed is over in its time, and gone with its day", {
  timeout: slow,
}, async () => {
  const stage = stageOf();
  const box = await openDropBox(stage, await stage.openCase());
  await box.write("logs.zip", await makeZip());
  const at = async (offsetDays: number) => {
    const then = stage.another({ offsetDays });
    then.faults.failWhere(({ url }) => url.includes("/box-") && url.includes("comp=list"));
    await then.runTimer("sweepUnfinished");
    await empty(then, box.dropBoxId);
  };
  await at(3.01);
  expect(await box.view()).toMatchObject({ state: "closing", closing: { reason: "expired" } });
  await at(79);
  expect(await boxContainers(stage)).toHaveLength(1);
  await at(80.1);
  expect(await boxContainers(stage)).toEqual([]);
  expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 0 } });
  expect(await findings(stage.another({ offsetDays: 80.1 }))).not.toContain("DropBoxOverdue");
});

test("[invariant 1] a file that is overwritten after it became a bundle and before it was copied leaves no copy behind", async () => {
  const stage = stageOf();
  const { faults } = stage;
  const box = await openDropBox(stage, await stage.openCase());
  await box.write("logs.zip", await makeZip());
  expectStatus(await (await stage.person("C")).call("POST", `${box.path}:close`), 200);
  faults.failWhere(({ method, headers }) => method === "PUT" && headers.has("x-ms-copy-source"));
  await empty(stage, box.dropBoxId);
  faults.failWhere(undefined);
  expect(await copiesIn(stage)).toEqual([]);
  await box.write("logs.zip", await makeZip());
  await empty(stage, box.dropBoxId);
  expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 1, refused: [] } });
  const bundles = await arrivedIn(stage, box);
  expect(bundles.map(({ state, rejection }) => rejection?.code ?? state).sort()).toEqual(["BlobChanged", "submitted"]);
  const taken = bundles.find(({ state }) => state === "submitted");
  expect(await copiesIn(stage)).toEqual([`${box.stampId}/${taken?.bundleId}`]);
});

test("[invariant 1] an emptying that is overtaken by the close of its box writes no bundle, and copies nothing", async () => {
  const stage = stageOf();
  const other = stage.another({});
  const box = await openDropBox(stage, await stage.openCase());
  await box.write("logs.zip", await makeZip());
  expectStatus(await (await stage.person("C")).call("POST", `${box.path}:close`), 200);
  const commit = other.faults.holdNext(
    ({ url, method, body }) => method === "POST" && url.includes("$batch") && String(body).includes("bundle.created"),
  );
  const overtaken = empty(other, box.dropBoxId);
  await commit.reached;
  await box.write("logs.zip", await makeZip());
  await empty(later(stage), box.dropBoxId);
  expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 1 } });
  commit.letGo();
  await overtaken;
  const bundles = await arrivedIn(stage, box);
  expect(bundles).toHaveLength(1);
  expect(await copiesIn(stage)).toEqual(bundles.map(({ bundleId }) => `${box.stampId}/${bundleId}`));
});
