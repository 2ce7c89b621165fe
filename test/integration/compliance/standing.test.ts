import { expect, test } from "vitest";
import { expectWholeLedger } from "../../support/ledger.ts";
import { accepted } from "../operations/support/bundles.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";

/** The ledger tells of the service itself: which settings are in force, and what the reconciler finds (`DESIGN.md`, Data). */

const stages = useStages();

/** What the service's own partition says by that type, oldest first. */
async function said(stage: Stage, type: string) {
  const events = await stage.events("service");
  expectWholeLedger(await stage.events());
  return events.filter((event) => event.type === type).map(({ data }) => data);
}

test("[invariant 10] settings are told once, and again when they change", async () => {
  const stage = stages();
  await stage.app.timers.reconcile();
  await stage.app.timers.reconcile();
  const standing = { PURGE_AFTER_DAYS: 80, ERASE_DELAY_HOURS: 24, hardLineDays: 90 };
  expect(await said(stage, "settings.inForce")).toMatchObject([standing]);

  const changed = stage.another({ settings: { PURGE_AFTER_DAYS: "70", PURGE_AFTER_CASE_CLOSE_DAYS: "30" } });
  await changed.app.timers.reconcile();
  await changed.app.timers.sealCheckpoint();
  await changed.app.timers.reconcile();
  expect(await said(stage, "settings.inForce")).toMatchObject([
    standing,
    { ...standing, PURGE_AFTER_DAYS: 70, PURGE_AFTER_CASE_CLOSE_DAYS: 30 },
  ]);
});

test("[invariant 10] a finding is told when it comes and when it is gone, also by several instances at once", async () => {
  const stage = stages();
  await accepted(stage, await stage.registeredStamp());
  await stage.app.timers.reconcile();
  expect(await said(stage, "reconciler.found")).toEqual([]);

  const stray = stage.blobs.getContainerClient("bundles-20200101");
  await stray.create();
  await Promise.all([stage, stage.another(), stage.another()].map((each) => each.app.timers.reconcile()));
  const found = { codes: ["ContainerWithoutRow"], count: 1 };
  expect(await said(stage, "reconciler.found")).toEqual([found]);

  await stray.delete();
  await stage.app.timers.reconcile();
  await stage.app.timers.reconcile();
  expect(await said(stage, "reconciler.found")).toEqual([found, { codes: [], count: 0 }]);
});
