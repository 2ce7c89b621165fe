import { randomUUID } from "node:crypto";
import { QueueClient } from "@azure/storage-queue";
import { expect, test } from "vitest";
import { counted, ofBundle } from "../../support/ledger.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { bundleShape, verificationShape } from "../../support/system/shapes.ts";
import type { StampActor } from "../../support/system/stamp.ts";
import { getBlob, putBlob } from "../../support/system/storage.ts";
import { makeZip } from "../../support/system/zip.ts";
import { accepted, blobsIn } from "./support/bundles.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** Verification where time and storage can be bent: what is read is what was submitted, and no outage of ours is a verdict. */

const stageOf = useStages();

const isReadOfCopy = ({ method, url }: { method: string; url: string }) =>
  method === "GET" && new URL(url).pathname.includes("/bundles-");

const queueOf = (stage: Stage) => new QueueClient(stage.connectionString, "verify");
const messagesIn = async (stage: Stage) => (await queueOf(stage).getProperties()).approximateMessagesCount;

async function uploaded(stamp: StampActor) {
  const bytes = await makeZip();
  const bundle = await stamp.createBundle({ sizeBytes: bytes.byteLength });
  await stamp.upload(bundle, bytes);
  const { upload } = bundle;
  if (upload === undefined) throw new Error("The bundle has no upload");
  return { bytes, bundleId: bundle.bundleId, stampId: bundle.stampId, upload };
}

test("[invariant 6] a blob that is overwritten between submit and verification is BlobChanged, with equal bytes too", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  for (const overwrite of [async () => makeZip(), async (bytes: Buffer) => bytes]) {
    const { bytes, upload, ...bundle } = await uploaded(stamp);
    expectStatus(await stamp.submit(bundle.bundleId, bytes), 202);
    expectStatus(await putBlob(upload, await overwrite(bytes)), 201);
    await stage.verify(bundle);
    const rejected = await stamp.bundle(bundle.bundleId);
    expect(rejected).toMatchObject({ state: "rejected", rejection: { code: "BlobChanged" } });
    expect(rejected.purge).toMatchObject({ basis: "rejected", deletedOn: expect.any(String) });
    expect((await putBlob(upload, bytes)).status).toBe(404);
  }
  expect(await blobsIn(stage)).toEqual([]);
});

test("[invariant 6] what is written after the copy was made is not what support reads", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bytes, upload, ...bundle } = await uploaded(stamp);
  expectStatus(await stamp.submit(bundle.bundleId, bytes), 202);
  stage.faults.failWhere(isReadOfCopy);
  await stage.verify(bundle);
  stage.faults.failWhere(undefined);
  expectStatus(await putBlob(upload, await makeZip()), 201);
  await stage.verify(bundle);

  expect((await stamp.bundle(bundle.bundleId)).state).toBe("accepted");
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { grantId } = await supportCase.grant([bundle]);
  const read = await getBlob(await supportCase.url(grantId, bundle));
  expect(read.body.equals(bytes)).toBe(true);
});

test("[invariant 7] a message delivered twice, at once and again, has one effect", async () => {
  const stage = stageOf();
  const other = stage.another();
  const stamp = await stage.registeredStamp();
  for (const bytes of [undefined, Buffer.from("no zip")]) {
    const { bundle, bundleId } = await stamp.submittedBundle({}, bytes);
    await Promise.all([stage.verify(bundle), other.verify(bundle), stage.verify(bundle)]);
    await other.verify(bundle);
    const events = counted(ofBundle(await stage.events(stamp.partition), bundleId));
    expect(events).toEqual(
      bytes === undefined
        ? { "bundle.created": 1, "bundle.submitted": 1, "bundle.accepted": 1 }
        : { "bundle.created": 1, "bundle.submitted": 1, "bundle.rejected": 1, "bundle.purged": 1 },
    );
  }
});

test("[invariant 7] a verification that fails on our side is no verdict: it is written down and tried again", async () => {
  const now = new Date();
  const stage = stageOf({ now: () => now });
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await stamp.submittedBundle();
  stage.faults.failWhere(isReadOfCopy);
  const pauses: number[] = [];
  for (const attempts of [1, 2, 3]) {
    await stage.verify(bundle);
    const { state, verification, rejection } = await stamp.bundle(bundleId);
    expect({ state, rejection, attempts: verification?.attempts }).toEqual({ state: "submitted", attempts });
    expect(verification?.lastError).toMatchObject({ code: "ServiceUnavailable", message: expect.stringMatching(/\S/) });
    pauses.push((Date.parse(verification?.nextAttemptOn ?? "") - now.getTime()) / 1000);
  }
  expect(pauses).toEqual([30, 60, 120]);
  const answer = await stamp.call("GET", `${stamp.bundlePath(bundleId)}/verification`);
  expect(verificationShape.parse(answer.json)).toMatchObject({ status: "Running", attempts: 3, id: bundleId });
  expect(stage.logged.filter((line) => line.includes("verification.delayed"))).toHaveLength(3);

  stage.faults.failWhere(undefined);
  await stage.verify(bundle);
  const healed = await stamp.bundle(bundleId);
  expect(healed).toMatchObject({ state: "accepted", verification: { attempts: 4 } });
  expect(healed.verification).not.toHaveProperty("nextAttemptOn");
});

test("[invariant 7] a bundle whose upload is gone and that has no copy is rejected at once", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await stamp.submittedBundle();
  for await (const { name } of stage.blobs.listContainers({ prefix: "landing-" }))
    await stage.blobs.deleteContainer(name);
  await stage.verify(bundle);
  expect(await stamp.bundle(bundleId)).toMatchObject({ state: "rejected", rejection: { code: "Unverifiable" } });
});

test("[invariant 7] a verification that fails forty times writes few events, and its row counts every attempt", async () => {
  const now = new Date();
  const stage = stageOf({ now: () => now });
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await stamp.submittedBundle();
  stage.faults.failWhere(isReadOfCopy);
  const attempts = 40;
  for (let attempt = 1; attempt <= attempts; attempt += 1) await stage.verify(bundle);
  expect((await stamp.bundle(bundleId)).verification).toMatchObject({ attempts });
  const told = ofBundle(await stage.events(stamp.partition), bundleId);
  expect(counted(told)["bundle.verificationDelayed"]).toBe(6);
});

test("[invariant 7] the sweeper asks again when the pause is over, and not before", async () => {
  const begun = Date.now();
  const stage = stageOf({ now: () => new Date(begun) });
  const stamp = await stage.registeredStamp();
  const { bundle } = await stamp.submittedBundle();
  stage.faults.failWhere(isReadOfCopy);
  await stage.verify(bundle);
  stage.faults.failWhere(undefined);
  await queueOf(stage).clearMessages();

  const after = (seconds: number) => stage.another({ now: () => new Date(begun + seconds * 1000) });
  await after(29).runTimer("sweepUnfinished");
  expect(await messagesIn(stage)).toBe(0);
  await after(30).runTimer("sweepUnfinished");
  expect(await messagesIn(stage)).toBe(1);
});

test("[invariant 7] a message that was lost is sent again by the sweeper", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bytes, bundleId } = await uploaded(stamp);
  const isMessage = ({ method, url }: { method: string; url: string }) =>
    method === "POST" && url.includes("/messages");
  stage.faults.failWhere(isMessage);
  expectStatus(await stamp.submit(bundleId, bytes), 202);
  stage.faults.failWhere(undefined);
  await queueOf(stage).createIfNotExists();
  expect(await messagesIn(stage)).toBe(0);
  await stage.another({ offsetDays: 1 / 1440 }).runTimer("sweepUnfinished");
  expect(await messagesIn(stage)).toBe(1);
});

test("[invariant 7] a poisoned message leaves the bundle submitted; one that is none of ours is dropped", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await stamp.submittedBundle();
  await stage.app.queues.verifyPoisoned({ stampId: bundle.stampId, bundleId });
  expect(await stamp.bundle(bundleId)).toMatchObject({ state: "submitted", verification: { attempts: 1 } });

  for (const message of ["text", null, {}, { stampId: "..", bundleId }, { stampId: randomUUID(), bundleId }]) {
    await stage.app.queues.verify(message);
    await stage.app.queues.verifyPoisoned(message);
  }
  expect(await stamp.bundle(bundleId)).toMatchObject({ state: "submitted", verification: { attempts: 1 } });
});

test("[invariant 7] a copy that was made in time is verified however late it can be read", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await stamp.submittedBundle();
  stage.faults.failWhere(isReadOfCopy);
  await stage.verify(bundle);
  await stage.another({ offsetDays: 10 }).verify(bundle);
  expect((await stamp.bundle(bundleId)).state).toBe("accepted");
});

test("[invariant 3] no copy starts after day 4, and a bundle that has none is rejected at once", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await stamp.submittedBundle();
  await stage.another({ offsetDays: 4.01 }).verify(bundle);
  const rejected = await stamp.bundle(bundleId);
  expect(rejected).toMatchObject({ state: "rejected", rejection: { code: "Unverifiable" } });
  expect(rejected.purge?.deletedOn).toBeDefined();
  expect(await blobsIn(stage)).toEqual([]);

  const inTime = await stamp.submittedBundle();
  await stage.another({ offsetDays: 3.99 }).verify(inTime.bundle);
  expect((await stamp.bundle(inTime.bundleId)).state).toBe("accepted");
});

test.each(["sweepUnfinished", "purgeDue"])(
  "[invariant 7] only at purgeOn does %s end an unverified bundle, as Unverifiable, bytes and all",
  async (timer) => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const { bundle, bundleId } = await stamp.submittedBundle();
    stage.faults.failWhere(isReadOfCopy);
    await stage.verify(bundle);

    await stage.another({ offsetDays: 79 }).runTimer(timer);
    expect((await stamp.bundle(bundleId)).state).toBe("submitted");
    expect(await blobsIn(stage)).toHaveLength(2);

    await stage.another({ offsetDays: 80 }).runTimer(timer);
    const { state, rejection, purge } = await stamp.bundle(bundleId);
    expect({ state, code: rejection?.code, basis: purge?.basis }).toEqual({
      state: "rejected",
      code: "Unverifiable",
      basis: "rejected",
    });
    expect(purge?.deletedOn).toBeDefined();
    expect(await blobsIn(stage)).toEqual([]);
    expect(counted(ofBundle(await stage.events(stamp.partition), bundleId))).toMatchObject({
      "bundle.rejected": 1,
      "bundle.purged": 1,
    });
  },
);

test("a submitted bundle of a stamp that is disabled meanwhile finishes", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await stamp.submittedBundle();
  const registrar = await stage.person("R");
  expectStatus(await registrar.call("POST", `${stamp.path}:disable`, { reason: "lost" }), 200);
  await stage.verify(bundle);
  expect((await stamp.bundle(bundleId)).state).toBe("accepted");
});

test("[invariant 2] a bundle that nobody submits expires after 48 hours, and its URL is dead", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bytes, bundleId, upload } = await uploaded(stamp);
  await stage.another({ offsetDays: 1.99 }).runTimer("sweepUnfinished");
  expect((await stamp.bundle(bundleId)).state).toBe("created");

  const later = stage.another({ offsetDays: 2.01 });
  const answer = await later.person("A").then(({ call }) => call("GET", stamp.bundlePath(bundleId)));
  expect(bundleShape.parse(answer.json).state).toBe("expired");
  await later.runTimer("sweepUnfinished");
  expect(await stamp.bundle(bundleId)).toMatchObject({ state: "expired", purge: { basis: "expired" } });
  expect((await putBlob(upload, bytes)).status).toBe(404);
  expectRefusal(await stamp.submit(bundleId, bytes), 409, "InvalidState");
});

test("[invariant 6] nothing of a rejected bundle can be lent", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await stamp.submittedBundle({}, Buffer.from("no zip"));
  await stage.verify(bundle);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const path = `${supportCase.path}/accessGrants/${randomUUID()}`;
  const answer = await supportCase.engineer.call("PUT", path, supportCase.grantRequest([{ ...bundle, bundleId }]));
  expectRefusal(answer, 409, "BundleNotAccepted");
});

test("a bundle that was accepted is not verified again", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await accepted(stage, stamp);
  const before = await stage.events(stamp.partition);
  await stage.verify(bundle);
  expect(await stage.events(stamp.partition)).toEqual(before);
  expect((await stamp.bundle(bundleId)).state).toBe("accepted");
});
