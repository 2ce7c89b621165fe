import { expect, test } from "vitest";
import { bundleId as bundleIdSchema, stampId as stampIdSchema } from "../../../shared/api/primitives.ts";
import { placeOf } from "../../../shared/operations/bundles/finishPurge.ts";
import { verifyBundle } from "../../../shared/operations/bundles/verifyBundle.ts";
import type { World } from "../../../shared/operations/needs.ts";
import { purgeDue } from "../../../shared/operations/purge/purgeDue.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import { verificationShape } from "../../support/system/shapes.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** Verification among its neighbours: the purge, the case that is claimed, the days that pass. */

const stageOf = useStages();

const messageOf = (of: { stampId: string; bundleId: string }) => ({
  stampId: stampIdSchema.parse(of.stampId),
  bundleId: bundleIdSchema.parse(of.bundleId),
});

async function copies(stage: Stage): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of stage.blobs.listContainers({ prefix: "bundles-" })) {
    for await (const blob of stage.blobs.getContainerClient(name).listBlobsFlat()) names.push(blob.name);
  }
  return names;
}

test("[invariant 3] a verification that ends after the day was purged accepts nothing and leaves no byte", async () => {
  const settings = { PURGE_AFTER_DAYS: "3" };
  const stage = stageOf({ settings });
  const later = stage.another({ settings, offsetDays: 4 });
  const stamp = await stage.registeredStamp();
  const { bundle } = await stamp.submittedBundle();
  const message = messageOf(bundle);
  stage.faults.failWhere(({ url }) => new URL(url).pathname.includes("/bundles-"));
  await stage.verify(bundle);
  stage.faults.failWhere(undefined);

  // It copies while the day is being deleted, and has read all by when the day is over.
  let readAll = false;
  const { world } = stage.app;
  const slow: World = {
    ...world,
    clock: { real: world.clock.real, now: () => (readAll ? later.now() : world.clock.now()) },
    days: {
      ...world.days,
      readAndHash: async (...read) => {
        const content = await world.days.readAndHash(...read);
        readAll = true;
        return content;
      },
    },
  };
  const purging: World = {
    ...later.app.world,
    days: {
      ...world.days,
      deleteDay: async (...day) => {
        await world.days.deleteDay(...day);
        await verifyBundle(slow, message);
      },
    },
  };
  await purgeDue(purging);

  expect(await stamp.bundle(bundle.bundleId)).toMatchObject({ state: "rejected", rejection: { code: "Unverifiable" } });
  expect(await copies(stage)).toEqual([]);
});

test("a claim is tried at acceptance also where we die on the way", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const supportCase = await stage.openCase();
  const { bundle, bundleId } = await stamp.submittedBundle({ caseNumber: supportCase.caseNumber });
  expectStatus(await supportCase.put({ stampIds: [stamp.stampId] }), 200);
  const { world } = stage.app;
  const dying: World = {
    ...world,
    stamps: {
      ...world.stamps,
      commit: async (stampId, head, change, on) => {
        const next = await world.stamps.commit(stampId, head, change, on);
        if (change.events.some(({ type }) => type === "bundle.accepted")) throw new Error("died (a test)");
        return next;
      },
    },
  };
  await verifyBundle(dying, messageOf(bundle));
  expect(await stamp.bundle(bundleId)).toMatchObject({ state: "accepted" });

  await stage.verify(bundle);
  expect((await stamp.bundle(bundleId)).links).toMatchObject([{ caseNumber: supportCase.caseNumber }]);
});

test("the verification of a bundle that was erased before its verdict has ended", async () => {
  const stage = stageOf({ settings: { ERASE_DELAY_HOURS: "0" } });
  const stamp = await stage.registeredStamp();
  const { bundleId } = await stamp.submittedBundle();
  const path = stamp.bundlePath(bundleId);
  expectStatus(
    await stamp.call("POST", `${path}:erase`, { decidedBy: "operator@contoso.example", reason: "Wrong" }),
    202,
  );
  const verification = expectStatus(await stamp.call("GET", `${path}/verification`), 200);
  expect(verificationShape.parse(verification.json)).toMatchObject({ status: "Failed", error: { code: "PurgeDue" } });
});

test("[invariant 7] a copy that failed is made again, and whoever saw it fail does not delete the one made since", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle } = await stamp.submittedBundle();
  const place = placeOf(await rowOf(stage, bundle));
  const { days } = stage.app.world;
  await days.ensure(place.account, place.day);
  // What is no whole copy counts as one that failed.
  const blob = stage.blobs
    .getContainerClient(`bundles-${place.day}`)
    .getBlockBlobClient(`${place.stampId}/${place.bundleId}`);
  await blob.upload("half a copy", 11);
  const failed = await days.copyState(place);
  if (failed?.status !== "failed" || failed.etag === undefined) throw new Error(`The copy is ${failed?.status}`);

  await stage.verify(bundle);
  await stage.verify(bundle);
  expect((await stamp.bundle(bundle.bundleId)).state).toBe("accepted");
  await days.discard(place, failed.etag);
  expect((await copies(stage)).filter((name) => !name.includes("."))).toHaveLength(1);
});

async function rowOf({ app }: Stage, of: { stampId: string; bundleId: string }) {
  const { stampId, bundleId } = messageOf(of);
  const row = await app.world.stamps.bundle(stampId, bundleId);
  if (row === undefined) throw new Error("There is no such row");
  return row;
}
