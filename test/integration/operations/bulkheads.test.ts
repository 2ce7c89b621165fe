import { TableClient } from "@azure/data-tables";
import { expect, test } from "vitest";
import { getRetention } from "../../../shared/operations/compliance/retention.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { stampActor } from "../../support/system/stamp.ts";
import { accepted } from "./support/bundles.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** One bad row, one bad bundle or one bad stamp stops nobody else's work (invariants 3 and 7). */

const stageOf = useStages();

const tableOf = (stage: Stage, name: string) =>
  TableClient.fromConnectionString(stage.connectionString, name, { allowInsecureConnection: true });

/** A row as a later version of the service may write it: this version does not know its kind. */
async function writeUnknownRow(stage: Stage, partitionKey: string, rowKey: string): Promise<void> {
  const json0 = JSON.stringify({ kind: "shredding", stampId: 7 });
  await tableOf(stage, "schedule").upsertEntity({ partitionKey, rowKey, v: 1, json0, dueOn: "2020-01-01T00:00:00Z" });
}

async function writeUnknownRows(stage: Stage): Promise<void> {
  for (let shard = 0; shard < 16; shard += 1) {
    const name = String(shard).padStart(2, "0");
    await writeUnknownRow(stage, `unfinished!${name}`, "!shredding");
    await writeUnknownRow(stage, `early!${name}`, "!shredding");
    await writeUnknownRow(stage, `expire!${today(stage)}!${name}`, "!shredding");
  }
  await writeUnknownRow(stage, "days", "!shredding");
}

const today = (stage: Stage) => stage.now().toISOString().slice(0, 10).replaceAll("-", "");

/** Makes a row unreadable, as a bug or a hand may leave it. */
async function spoil(stage: Stage, partitionKey: string, rowKey: string): Promise<void> {
  await tableOf(stage, "stamps").upsertEntity({ partitionKey, rowKey, v: 1, json0: "{}" }, "Replace");
}

const alerts = (stage: Stage, event: string) =>
  stage.logged.filter((line) => line.includes(`"event":"${event}"`) && line.includes('"alert":true'));

const certificate = (stamp: Awaited<ReturnType<Stage["registeredStamp"]>>, bundleId: string) =>
  stamp.call("GET", `${stamp.bundlePath(bundleId)}/deletionCertificate`);

test("[invariant 7] the sweeper alerts rows of an unknown kind and finishes everything else", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const abandoned = await stamp.createBundle();
  await writeUnknownRows(stage);
  const later = stage.another({ offsetDays: 2.1 });
  await later.runTimer("sweepUnfinished");
  expect((await stamp.bundle(abandoned.bundleId)).purge?.deletedOn).toEqual(expect.any(String));
  expect(alerts(later, "row.unreadable")).toHaveLength(16);
});

test("[invariant 3] a day is purged although rows of an unknown kind stand in the index", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundleId } = await accepted(stage, stamp);
  await writeUnknownRows(stage);
  await stage.another({ offsetDays: 81 }).runTimer("purgeDue");
  expect((await stamp.bundle(bundleId)).state).toBe("purged");
  expectStatus(await certificate(stamp, bundleId), 200);
});

test("[invariant 3] the reconciler compares every account although rows of an unknown kind stand in the index", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await accepted(stage, stamp);
  await writeUnknownRows(stage);
  await stage.blobs.getContainerClient(`bundles-${today(stage)}`).deleteBlob(`${bundle.stampId}/${bundleId}`);
  await stage.app.timers.reconcile();
  const { violations } = await getRetention(stage.app.world);
  expect(violations.map(({ code }) => code)).toEqual(["RowWithoutBytes"]);
});

test("[invariant 3] a stamp that cannot be written keeps no other stamp of its day from being purged, and the run fails", async () => {
  const stage = stageOf();
  const stamps = [];
  for (let index = 0; index < 6; index += 1) stamps.push(await stage.registeredStamp());
  // The first in the order of the index, so that all the others come after it.
  const sent = [];
  for (const stamp of stamps) sent.push({ stamp, ...(await accepted(stage, stamp)) });
  const bad = sent[0];
  if (bad === undefined) throw new Error("There are stamps");
  await spoil(stage, bad.stamp.stampId, "head");

  const later = stage.another({ offsetDays: 81 });
  await expect(later.runTimer("purgeDue")).rejects.toThrow();
  for (const { stamp, bundleId } of sent.slice(1)) expectStatus(await certificate(stamp, bundleId), 200);
  expect(alerts(later, "purge.failed")).not.toEqual([]);
});

test("[invariant 3] a bundle whose row cannot be read keeps no other bundle of its stamp from being purged", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const bundles = [await accepted(stage, stamp), await accepted(stage, stamp), await accepted(stage, stamp)];
  const [bad, ...others] = bundles;
  if (bad === undefined) throw new Error("There are bundles");
  await spoil(stage, stamp.stampId, `bundle!${bad.bundleId}`);
  await expect(stage.another({ offsetDays: 81 }).runTimer("purgeDue")).rejects.toThrow();
  for (const { bundleId } of others) expectStatus(await certificate(stamp, bundleId), 200);
});

test("[invariant 3] a day whose container cannot be deleted keeps no other day from being purged", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const first = await accepted(stage, stamp);
  const nextDay = stage.another({ offsetDays: 1 });
  const sentNextDay = await (async () => {
    const submitted = await stampActor(nextDay, stamp).submittedBundle();
    await nextDay.verify(submitted.bundle);
    return submitted;
  })();
  const later = stage.another({ offsetDays: 82 });
  later.faults.failWhere(({ method, url }) => method === "DELETE" && url.includes(`/bundles-${today(stage)}`));
  await expect(later.runTimer("purgeDue")).rejects.toThrow();
  expectRefusal(await certificate(stamp, first.bundleId), 409, "NotYetDeleted");
  expectStatus(await certificate(stamp, sentNextDay.bundleId), 200);
});

test("[invariant 7] a bundle that cannot be settled keeps no other upload of its stamp from being ended", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  await stamp.enableConsent();
  const uploads = [];
  for (let index = 0; index < 12; index += 1) uploads.push(await stamp.createBundle({ mode: "proactive" }));
  const sorted = uploads.map(({ bundleId }) => bundleId).sort();
  const [bad, ...others] = sorted;
  await spoil(stage, stamp.stampId, `bundle!${bad}`);
  await stamp.disableConsent();
  for (const bundleId of others) expect((await stamp.bundle(bundleId)).purge?.deletedOn).toEqual(expect.any(String));
});
