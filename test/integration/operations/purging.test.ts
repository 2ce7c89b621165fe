import { expect, test } from "vitest";
import { bundleId, stampId } from "../../../shared/api/primitives.ts";
import { purged } from "../../../shared/operations/bundles/finishPurge.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { makeZip } from "../../support/system/zip.ts";
import { accepted } from "./support/bundles.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** What must not keep retention from its work, and what must not be left when it says that it is done (invariants 2 and 3). */

const stageOf = useStages();

test("[invariant 3] housekeeping that fails does not keep the purge from its work", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundleId } = await accepted(stage, stamp);
  const later = stage.another({ offsetDays: 81 });
  later.faults.failWhere(({ method, url }) => method === "GET" && new URL(url).pathname.endsWith("/Tables"));
  await expect(later.runTimer("purgeDue")).rejects.toThrow();
  expect(await stamp.bundle(bundleId)).toMatchObject({ state: "purged" });
});

test("[invariant 8] a purge that fails does not keep old nonces from being dropped", async () => {
  const stage = stageOf();
  await (await stage.registeredStamp()).createBundle();
  expect(await nonceTables(stage)).not.toEqual([]);
  const real = () => new Date(Date.now() + 3 * 86_400_000);
  const later = stage.another({ real });
  later.faults.failWhere(({ url }) => decodeURIComponent(url).includes("'days'"));
  await expect(later.runTimer("purgeDue")).rejects.toThrow();
  expect(await nonceTables(stage)).toEqual([]);
});

async function nonceTables({ tables }: Stage): Promise<string[]> {
  const names: string[] = [];
  for await (const { name = "" } of tables.listTables()) if (name.startsWith("nonces")) names.push(name);
  return names;
}

const dropsLanding = ({ method, url }: { method: string; url: string }) =>
  method === "DELETE" && new URL(url).pathname.includes("/landing-");

async function landings(stage: Stage): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of stage.blobs.listContainers({ prefix: "landing-" })) names.push(name);
  return names;
}

test("[invariant 3] nothing is said to be deleted while its landing container is still there", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await stamp.submittedBundle();
  stage.faults.failWhere(dropsLanding);
  await stage.verify(bundle);
  expect((await stamp.bundle(bundleId)).state).toBe("accepted");
  const certificate = () => stamp.call("GET", `${stamp.bundlePath(bundleId)}/deletionCertificate`);
  const later = stage.another({ offsetDays: 81 });
  later.faults.failWhere(dropsLanding);
  await expect(later.runTimer("purgeDue")).rejects.toThrow();
  expect(await landings(stage)).toHaveLength(1);
  expectRefusal(await certificate(), 409, "NotYetDeleted");

  later.faults.failWhere(undefined);
  await later.runTimer("purgeDue");
  expect(await landings(stage)).toEqual([]);
  expectStatus(await certificate(), 200);
});

test("[invariant 2] a landing container that outlived what its row says is deleted before the row is forgotten", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const canceled = await stamp.createBundle();
  stage.faults.failWhere(dropsLanding);
  expectRefusal(await stamp.call("POST", `${stamp.bundlePath(canceled.bundleId)}:cancel`), 503, "ServiceUnavailable");
  // A purge that did not look said that it is gone.
  const { stamps } = stage.app.world;
  const [id, bundle] = [stampId.parse(stamp.stampId), bundleId.parse(canceled.bundleId)];
  const [head, from] = [await stamps.head(id), await stamps.bundle(id, bundle)];
  if (from === undefined) throw new Error("The bundle has a row");
  const { next, event } = purged(stage.app.world, head, from, stage.now());
  await stamps.commit(id, head, { events: [event], update: [{ from, to: next }] }, stage.now());
  stage.faults.failWhere(undefined);

  await stage.runTimer("sweepUnfinished");
  expect(await landings(stage)).toEqual([]);
});

test("[invariant 3] an ended upload whose deletion failed is deleted at the sweeper's next round, not days later", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  await stamp.enableConsent();
  const revoked = await stamp.createBundle({ mode: "proactive" });
  const canceled = await stamp.createBundle();
  const { bundle: verified } = await stamp.submittedBundle();

  stage.faults.failWhere(dropsLanding);
  await stamp.disableConsent();
  const answer = await stamp.call("POST", `${stamp.bundlePath(canceled.bundleId)}:cancel`);
  expectRefusal(answer, 503, "ServiceUnavailable");
  await stage.verify(verified);
  stage.faults.failWhere(undefined);
  expect(await landings(stage)).toHaveLength(3);

  await stage.runTimer("sweepUnfinished");
  expect(await landings(stage)).toEqual([]);
  for (const { bundleId } of [revoked, canceled]) {
    expect((await stamp.bundle(bundleId)).purge?.deletedOn).toEqual(expect.any(String));
  }
});

test("a bundle whose case closed while it was uploaded is deleted for that once it is accepted", async () => {
  const settings = { PURGE_AFTER_CASE_CLOSE_DAYS: "0" };
  const stage = stageOf({ settings });
  const stamp = await stage.registeredStamp();
  const bytes = await makeZip();
  const created = await stamp.createBundle({ sizeBytes: bytes.byteLength });
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(created), 201);
  await supportCase.close();
  const later = stage.another({ settings, offsetDays: 0.2 });
  await later.runTimer("purgeDue");
  await stamp.upload(created, bytes);
  expectStatus(await stamp.submit(created.bundleId, bytes), 202);
  await stage.verify(created);

  await later.runTimer("purgeDue");
  expect(await stamp.bundle(created.bundleId)).toMatchObject({ state: "purged", purge: { basis: "caseClosed" } });
});

test("[invariant 7] an erasure is carried out also where the closing of a case, which came first, is in doubt", async () => {
  const settings = { PURGE_AFTER_CASE_CLOSE_DAYS: "0" };
  const stage = stageOf({ settings });
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await accepted(stage, stamp);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  await supportCase.close();
  const said = { decidedBy: "operator@contoso.example", reason: "Wrong window" };
  expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:erase`, said), 202);
  // Reopened, and the bundle's row does not say so yet.
  stage.faults.failWhere(({ url }) => new URL(url).pathname.includes("/stamps("));
  await supportCase.reopen();

  await stage.another({ settings, offsetDays: 1.5 }).runTimer("purgeDue");
  stage.faults.failWhere(undefined);
  expect(await stamp.bundle(bundleId)).toMatchObject({ state: "purged", purge: { basis: "erasure" } });
});

test("[invariant 3] an index of erasures that cannot be read does not keep a day from being purged", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundleId } = await accepted(stage, stamp);
  const later = stage.another({ offsetDays: 81 });
  later.faults.failWhere(({ url }) => decodeURIComponent(url).includes("early!"));
  await expect(later.runTimer("purgeDue")).rejects.toThrow();
  expect((await stamp.bundle(bundleId)).state).toBe("purged");
});

test("[invariant 3] a longer PURGE_AFTER_DAYS extends nothing that was created under a shorter one", async () => {
  const stage = stageOf({ settings: { PURGE_AFTER_DAYS: "10" } });
  const stamp = await stage.registeredStamp();
  const { bundle: first } = await accepted(stage, stamp);
  const { bundle: second } = await stamp.submittedBundle();
  const longer = stage.another({ settings: { PURGE_AFTER_DAYS: "80" } });
  await longer.verify(second);

  await stage.another({ settings: { PURGE_AFTER_DAYS: "80" }, offsetDays: 11 }).runTimer("purgeDue");
  for (const { bundleId, purgeOn } of [first, second]) {
    const purged = await stamp.bundle(bundleId);
    expect(purged).toMatchObject({ state: "purged", purgeOn });
  }
});
