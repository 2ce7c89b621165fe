import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";
import { counted, expectWholeLedger, ofBundle } from "../support/ledger.ts";
import { present } from "../support/presentUrl.ts";
import type { CaseActor } from "../support/system/cases.ts";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { bundleShape, certificateShape } from "../support/system/shapes.ts";
import type { AcceptedBundle, StampActor } from "../support/system/stamp.ts";
import { blobsHeld, getBlob, putBlob } from "../support/system/storage.ts";
import { openWorld, type World } from "../support/system/world.ts";

/** Day 80: the bytes of a day go in one step, on no road do they come back, and what happened stays told (invariant 3). */

let world: World;
let stamp: StampActor;
let accepted: AcceptedBundle;
let second: AcceptedBundle;
let supportCase: CaseActor;
let url: string;
beforeAll(async () => {
  world = await openWorld();
  stamp = await world.registeredStamp();
  [accepted, second] = [await stamp.acceptedBundle(), await stamp.acceptedBundle()];
  supportCase = await world.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(accepted.bundle), 201);
  const { grantId } = await supportCase.grant([accepted.bundle]);
  url = await supportCase.url(grantId, accepted.bundle);
});
afterAll(() => world.close());

const certificateOf = (bundleId: string) => stamp.call("GET", `${stamp.bundlePath(bundleId)}/deletionCertificate`);
/** The URL where storage has come to answer since: a restart gives it another port. */
const readAgain = async () => getBlob(await present(world.service.directory, url));
const bytesHeld = async () =>
  // Not what is derived from them, which lies beside them under an ending.
  (await blobsHeld(world.service.directory)).filter((name) => /^bundles-[^.]*$/.test(name)).length;

it("[invariant 3] is not before day 80", async () => {
  // A little less, should midnight have passed since they were sent.
  await world.restart({ CLOCK_OFFSET_DAYS: "78.9" });
  await world.runTimer("purgeDue");
  expect((await stamp.bundle(accepted.bundleId)).state).toBe("accepted");
  expect((await readAgain()).body.equals(accepted.bytes)).toBe(true);
  expectRefusal(await certificateOf(accepted.bundleId), 409, "NotYetDeleted");
  expect((await world.events("service")).filter((event) => event.type.startsWith("container."))).toEqual([]);
  expect(await bytesHeld()).toBe(2);
});

it("[invariant 3] is on day 80: no URL reads, the rows say why, and every bundle has its event", async () => {
  await world.restart({ CLOCK_OFFSET_DAYS: "80" });
  await world.runTimer("purgeDue");
  expect((await readAgain()).status).toBe(404);
  expect(await bytesHeld()).toBe(0);
  const purged = await stamp.bundle(accepted.bundleId);
  expect(purged).toMatchObject({ state: "purged", purge: { basis: "age" }, sha256: accepted.bundle.sha256 });
  const { intendedOn = "", deletedOn = "" } = purged.purge ?? {};
  expect(Date.parse(intendedOn)).toBeLessThanOrEqual(Date.parse(deletedOn));
  expect(Date.parse(deletedOn)).toBeLessThan(Date.parse(purged.deleteBy));
  expect(Date.parse(deletedOn)).toBeGreaterThanOrEqual(Date.parse(purged.purgeOn));

  const ofContainer = (await world.events("service")).filter((event) => event.type.startsWith("container."));
  // One container, or two where midnight passed between them.
  const days = new Set([accepted, second].map(({ bundle }) => bundle.createdOn.slice(0, 10)));
  expect(ofContainer.map((event) => event.type)).toEqual(
    [...days].flatMap(() => ["container.purgeIntended", "container.purged"]),
  );
  const events = await world.events(stamp.partition);
  for (const { bundleId } of [accepted, second]) {
    expect(counted(ofBundle(events, bundleId))["bundle.purged"]).toBe(1);
  }
  expectWholeLedger(await world.events());
});

it("[invariant 3] is certified by a paper that verifies with the published keys and names its event", async () => {
  const { certificate } = certificateShape.parse(expectStatus(await certificateOf(accepted.bundleId), 200).json);
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", world.origin), { timeoutDuration: 60_000 });
  const { payload, protectedHeader } = await jwtVerify(certificate, keys, { typ: "deletion-certificate+jwt" });
  expect(protectedHeader.alg).toBe("ES256");
  const { purge, createdOn, sizeBytes, sha256 } = await stamp.bundle(accepted.bundleId);
  expect(payload).toMatchObject({
    iss: expect.stringMatching(/^http/),
    sub: stamp.stampId,
    jti: expect.any(String),
    bundleId: accepted.bundleId,
    sha256,
    sizeBytes,
    createdOn,
    basis: "age",
    deletedOn: purge?.deletedOn,
  });
  expect(Math.abs(Number(payload.iat) - Date.now() / 1000)).toBeLessThan(60);
  const [event] = ofBundle(await world.events(stamp.partition), accepted.bundleId).filter(
    ({ type }) => type === "bundle.purged",
  );
  expect(payload.ledger).toEqual({ partition: stamp.partition, seq: event?.seq, hash: event?.hash });
  const auditor = await world.person("A");
  const path = `${stamp.bundlePath(accepted.bundleId)}/deletionCertificate`;
  expectStatus(await auditor.call("GET", path), 200);
  expectRefusal(await (await world.person("R")).call("GET", path), 403, "RoleMissing");
});

it("[invariant 3] leaves nothing to lend, to link, to cancel or to submit", async () => {
  const { bundleId, bytes } = accepted;
  const request = supportCase.grantRequest([accepted.bundle]);
  const grant = `${supportCase.path}/accessGrants/00000000-0000-4000-8000-000000000001`;
  expectRefusal(await supportCase.engineer.call("PUT", grant, request), 403, "PurgeDue");
  expectRefusal(await supportCase.link(second.bundle), 409, "InvalidState");
  expectRefusal(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:cancel`), 409, "InvalidState");
  expectRefusal(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:renewUpload`), 409, "InvalidState");
  expect((await stamp.submit(bundleId, bytes)).status).toBe(202);
  expect((await stamp.bundle(bundleId)).state).toBe("purged");
});

it("[invariant 7] changes nothing when it runs again", async () => {
  const told = async () => {
    await world.runTimer("purgeDue");
    await world.runTimer("sweepUnfinished");
    return [await world.events(stamp.partition), await world.events(supportCase.partition)];
  };
  const before = await told();
  expect(await told()).toEqual(before);
});

it("[invariant 2] expires what was created and not submitted for 48 hours", async () => {
  await world.restart({ CLOCK_OFFSET_DAYS: "80" });
  const created = await stamp.createBundle();
  await world.restart({ CLOCK_OFFSET_DAYS: "81.9" });
  await world.runTimer("sweepUnfinished");
  expect((await stamp.bundle(created.bundleId)).state).toBe("created");
  await world.restart({ CLOCK_OFFSET_DAYS: "82.1" });
  expect((await stamp.bundle(created.bundleId)).state).toBe("expired");
  await world.runTimer("sweepUnfinished");
  expect(await stamp.bundle(created.bundleId)).toMatchObject({ state: "expired", purge: { basis: "expired" } });
  expectRefusal(await stamp.submit(created.bundleId, Buffer.alloc(4096)), 409, "InvalidState");
  if (created.upload === undefined) throw new Error("The bundle has no upload");
  const target = { ...created.upload, url: await present(world.service.directory, created.upload.url) };
  expect((await putBlob(target, Buffer.alloc(1))).status).toBe(404);
  const answer = await stamp.call("GET", stamp.bundlePath(created.bundleId));
  expect(bundleShape.parse(answer.json)).not.toHaveProperty("upload");
});
