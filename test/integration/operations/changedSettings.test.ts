import { expect, test } from "vitest";
import { applyClosingRule } from "../../../shared/operations/cases/closingRule.ts";
import { getRetention } from "../../../shared/operations/compliance/retention.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import type { Bundle } from "../../support/system/shapes.ts";
import { type StampActor, stampActor } from "../../support/system/stamp.ts";
import { accepted } from "./support/bundles.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** A retention setting that changes while the service runs holds for what it is about, and for nothing else (invariant 3). */

const stageOf = useStages();

const after = (days: number) => ({ PURGE_AFTER_CASE_CLOSE_DAYS: String(days) });
const dayMs = 86_400_000;

/** A bundle whose only case was closed under the given settings. */
async function closedBundle(settings: Readonly<Record<string, string>>, stage: Stage = stageOf({ settings })) {
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  await supportCase.close();
  return { stage, stamp, bundle, supportCase };
}

const daysUntilPurge = async (stamp: StampActor, { bundleId }: Bundle, stage: Stage): Promise<number> =>
  Math.round((Date.parse((await stamp.bundle(bundleId)).purgeOn) - stage.now().getTime()) / dayMs);

test("[invariant 3] PURGE_AFTER_CASE_CLOSE_DAYS is switched off: bundles of closed cases are lendable again until their age", async () => {
  const { stage, stamp, bundle, supportCase } = await closedBundle(after(1));
  const off = stage.another({ offsetDays: 2 });
  await off.runTimer("purgeDue");
  expect(await stamp.bundle(bundle.bundleId)).toMatchObject({ state: "accepted", purgeOn: bundle.purgeOn });
  expect((await getRetention(off.app.world)).violations).toEqual([]);

  await supportCase.reopen();
  const { grantId } = await supportCase.grant([bundle]);
  expectStatus(await supportCase.issueUrl(grantId, bundle), 200);
});

test("[invariant 3] a shorter PURGE_AFTER_CASE_CLOSE_DAYS holds for cases that were closed before", async () => {
  const { stage, stamp, bundle } = await closedBundle(after(20));
  expect(await daysUntilPurge(stamp, bundle, stage)).toBe(20);
  const shorter = stage.another({ settings: after(5) });
  await shorter.runTimer("purgeDue");
  expect(await daysUntilPurge(stamp, bundle, stage)).toBe(5);
  await stage.another({ settings: after(5), offsetDays: 6 }).runTimer("purgeDue");
  expect(await stamp.bundle(bundle.bundleId)).toMatchObject({ state: "purged", purge: { basis: "caseClosed" } });
});

test("[invariant 3] PURGE_AFTER_CASE_CLOSE_DAYS is switched on: it holds for cases that were closed before", async () => {
  const { stage, stamp, bundle } = await closedBundle({});
  expect((await stamp.bundle(bundle.bundleId)).purgeOn).toBe(bundle.purgeOn);
  await stage.another({ settings: after(5), offsetDays: 6 }).runTimer("purgeDue");
  expect(await stamp.bundle(bundle.bundleId)).toMatchObject({ state: "purged", purge: { basis: "caseClosed" } });
});

test("a changed PURGE_AFTER_CASE_CLOSE_DAYS is applied a few cases at a time, goes on where it stopped, and ends", async () => {
  const stage = stageOf();
  const closed: Awaited<ReturnType<typeof closedBundle>>[] = [];
  for (let index = 0; index < 3; index += 1) closed.push(await closedBundle({}, stage));
  const on = stage.another({ settings: after(5) });
  const applied = async () => {
    const days = await Promise.all(closed.map(({ stamp, bundle }) => daysUntilPurge(stamp, bundle, stage)));
    return days.filter((each) => each === 5).length;
  };
  const counts: number[] = [];
  for (let run = 0; run < 5; run += 1) {
    await applyClosingRule(on.app.world, 1);
    counts.push(await applied());
  }
  expect(counts).toEqual([1, 2, 3, 3, 3]);
  const { calls } = await on.faults.watching(() => applyClosingRule(on.app.world, 1));
  expect(calls).toHaveLength(1);
});

test("[invariant 3] what an instance with the former setting writes meanwhile is brought up to date an hour later", async () => {
  const stage = stageOf();
  const off = stage.another();
  await off.runTimer("purgeDue");
  const { stamp, bundle } = await closedBundle({}, stage.another({ settings: after(1) }));
  await stage.another({ offsetDays: 2 }).runTimer("purgeDue");
  expect(await stamp.bundle(bundle.bundleId)).toMatchObject({ state: "accepted", purgeOn: bundle.purgeOn });
});

test("[invariant 3] a changed PURGE_AFTER_DAYS takes effect from the next day: a day has one date", async () => {
  const stage = stageOf({ settings: { PURGE_AFTER_DAYS: "80" } });
  const stamp = await stage.registeredStamp();
  const { bundle: before } = await accepted(stage, stamp);
  const lowered = stage.another({ settings: { PURGE_AFTER_DAYS: "30" } });
  const { bundle: sameDay } = await accepted(lowered, stampActor(lowered, stamp));
  expect(sameDay.purgeOn).toBe(before.purgeOn);

  const nextDay = stage.another({ settings: { PURGE_AFTER_DAYS: "30" }, offsetDays: 1 });
  const { bundle: later } = await accepted(nextDay, stampActor(nextDay, stamp));
  expect(Date.parse(later.purgeOn) - Date.parse(before.purgeOn)).toBe((30 - 80 + 1) * dayMs);

  await stage.another({ settings: { PURGE_AFTER_DAYS: "30" }, offsetDays: 40 }).runTimer("purgeDue");
  const state = async ({ bundleId }: Bundle) => (await stamp.bundle(bundleId)).state;
  expect([await state(before), await state(sameDay), await state(later)]).toEqual(["accepted", "accepted", "purged"]);
});
