import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { bundleId, dropBoxId as dropBoxIdSchema, stampId } from "../../../shared/api/primitives.ts";
import { senderOf } from "../../../shared/domain/dropBox.ts";
import { counted, expectWholeLedger, ofBundle } from "../../support/ledger.ts";
import { dropBoxRequest } from "../../support/system/dropBoxes.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { stampActor } from "../../support/system/stamp.ts";
import { readAll } from "../../support/system/world.ts";
import { makeZip, sha256Hex } from "../../support/system/zip.ts";
import { blobsIn } from "./support/bundles.ts";
import {
  boxContainers,
  bundlesOf,
  empty,
  findings,
  lentBytes,
  openDropBox,
  verifiedBundlesOf,
} from "./support/dropBoxes.ts";
import { useStages } from "./support/stage.ts";

const stageOf = useStages();

const folder = "AzureStackLogs-20240927104305-SAC14-ERCS01";

describe("a drop box", () => {
  test("[invariant 1] [invariant 2] takes logs from a client that nobody here wrote, and what arrived is lent like any bundle", async () => {
    const stage = stageOf();
    const supportCase = await stage.openCase();
    const box = await openDropBox(stage, supportCase, { stampVersion: "1.2008.40.149" });
    expect(box.opened.upload?.command).toBe(`Get-AzureStackLog -OutputSasUri "${box.opened.upload?.url}"`);
    const zip = await makeZip(300_000);
    await box.container.getBlockBlobClient(`${folder}/Storage-20180505055532.zip`).uploadData(zip, {
      blockSize: 65_536,
      maxSingleShotSize: 65_536,
    });
    await box.write(`${folder}/Get-AzureStackLog_Output.log`, "PS>TerminatingError");

    const closed = await box.close();
    expect(closed).toMatchObject({
      state: "closed",
      closing: { reason: "requested" },
      arrived: { files: 2, bytes: zip.byteLength + 19, refused: [] },
    });
    expect(closed).not.toHaveProperty("upload");
    await expect(box.write("late.zip", zip)).rejects.toMatchObject({ statusCode: 404 });

    const bundles = await verifiedBundlesOf(stage, box);
    const logs = bundles[`${folder}_Storage-20180505055532.zip`];
    const output = bundles[`${folder}_Get-AzureStackLog_Output.log`];
    if (logs === undefined || output === undefined) throw new Error(`Arrived: ${Object.keys(bundles)}`);
    expect(logs).toMatchObject({
      stampId: box.stampId,
      dropBoxId: box.dropBoxId,
      mode: "dropBox",
      state: "accepted",
      stampVersion: "1.2008.40.149",
      sha256: sha256Hex(zip),
      sizeBytes: zip.byteLength,
      createdOn: closed.createdOn,
      deleteBy: closed.deleteBy,
      purgeOn: closed.purgeOn,
      consentDecision: { decisionId: closed.consentDecision.decisionId, basis: "operator" },
      links: [{ caseNumber: supportCase.caseNumber }],
    });
    expect(logs).not.toHaveProperty("logsFrom");

    const grant = await supportCase.grant([logs, output]);
    const lent = await lentBytes(await supportCase.url(grant.grantId, logs));
    expect(sha256Hex(lent.bytes)).toBe(logs.sha256);
    const savedAs = ({ bundleId }: { bundleId: string }, extension: string) =>
      `attachment; filename="${logs.stampId}-${bundleId}${extension}"`;
    expect(lent).toMatchObject({ type: "application/octet-stream", name: savedAs(logs, ".zip") });
    const text = await lentBytes(await supportCase.url(grant.grantId, output));
    expect(text.bytes.toString()).toBe("PS>TerminatingError");
    expect(text).toMatchObject({ type: "application/octet-stream", name: savedAs(output, ".log") });

    const events = await stage.events(box.partition);
    expectWholeLedger(events);
    expect(ofBundle(events, logs.bundleId).map(({ type }) => type)).toEqual([
      "bundle.created",
      "bundle.submitted",
      "bundle.caseAdded",
      "bundle.accepted",
      "bundle.accessed",
    ]);
    expect(await findings(stage)).toEqual([]);
  });

  test("gives its URL again to whoever repeats the request, each with its event, and to nobody who reads", async () => {
    const stage = stageOf();
    const supportCase = await stage.openCase();
    const box = await openDropBox(stage, supportCase);
    const again = expectStatus(await box.put({}, await stage.person("C")), 200);
    expect(again.json).toMatchObject({ state: "open", upload: { expiresOn: box.opened.upload?.expiresOn } });
    expect(counted(await stage.events(box.partition))).toEqual({ "dropBox.opened": 1, "dropBox.urlIssued": 1 });
    expect(await box.view()).not.toHaveProperty("upload");
    const { call } = await stage.person("A");
    const listed = expectStatus(await call("GET", `${supportCase.path}/dropBoxes`), 200);
    expect(listed.json).toMatchObject({ value: [{ dropBoxId: box.dropBoxId, contact: { name: "Ada of Contoso" } }] });
    expect(listed.text).not.toContain("sig=");

    await box.close();
    expect(expectStatus(await box.put(), 200).json).not.toHaveProperty("upload");
  });

  test("has an id that is nothing else's: not another request's, not another case's, not a stamp's", async () => {
    const stage = stageOf();
    const [supportCase, another] = [await stage.openCase(), await stage.openCase()];
    const box = await openDropBox(stage, supportCase);
    expectRefusal(await box.put({ durationHours: 10 }), 409, "DropBoxConflict");
    const elsewhere = `${another.path}/dropBoxes/${box.dropBoxId}`;
    expectRefusal(await another.engineer.call("PUT", elsewhere, box.request), 409, "DropBoxConflict");
    expectRefusal(await another.engineer.call("GET", elsewhere), 404, "NotFound");
    expectRefusal(await another.engineer.call("POST", `${elsewhere}:close`), 404, "NotFound");

    // A stamp under a box's sender is one that somebody computed on purpose.
    const dropBoxId = randomUUID();
    await stage.registeredStamp({ stampId: senderOf(dropBoxIdSchema.parse(dropBoxId)) });
    const overStamp = `${supportCase.path}/dropBoxes/${dropBoxId}`;
    expectRefusal(await supportCase.engineer.call("PUT", overStamp, box.request), 409, "DropBoxConflict");
    expectRefusal(await supportCase.engineer.call("GET", overStamp), 404, "NotFound");
  });

  test("is no stamp: it is registered under no key, in no list, and signs nothing", async () => {
    const stage = stageOf();
    const box = await openDropBox(stage, await stage.openCase());
    const stamp = stampActor(stage, { stampId: box.stampId });
    expectRefusal(await stamp.register(), 409, "DropBoxConflict");
    expectRefusal(await stamp.call("GET", `/stamps/${box.stampId}`), 401, "KeyUnknown");
    const { call } = await stage.person("R");
    expectRefusal(await call("GET", `/stamps/${box.stampId}`), 404, "NotFound");
    expectRefusal(await call("POST", `/stamps/${box.stampId}:disable`, { reason: "lost" }), 404, "NotFound");
    const another = await stage.registeredStamp();
    const listed = await readAll(call, "/stamps", { top: "1" });
    expect(listed).toMatchObject([{ stampId: another.stampId }]);
  });

  test("closes with nothing in it and says so", async () => {
    const stage = stageOf();
    const box = await openDropBox(stage, await stage.openCase());
    expect(await box.close()).toMatchObject({ state: "closed", arrived: { files: 0, bytes: 0, refused: [] } });
    expect(await box.close()).toMatchObject({ state: "closed" });
    expect(await boxContainers(stage)).toEqual([]);
    expect(counted(await stage.events(box.partition))).toEqual({
      "dropBox.opened": 1,
      "dropBox.closing": 1,
      "dropBox.emptied": 1,
      "dropBox.closed": 1,
    });
  });

  test("needs terms that there are, a contact by name and a time that is short enough", async () => {
    const stage = stageOf();
    const { path, engineer } = await stage.openCase();
    const put = async (changes: Record<string, unknown>) =>
      engineer.call("PUT", `${path}/dropBoxes/${randomUUID()}`, await dropBoxRequest(stage, changes));
    const consent = { decidedBy: "Ada", decidedOn: stage.on(), termsVersion: "1999-01-01" };
    expect(expectRefusal(await put({ consent }), 400, "InvalidBody").target).toBe("/consent/termsVersion");
    expect(expectRefusal(await put({ durationHours: 73 }), 400, "InvalidBody").target).toBe("/durationHours");
    expect(expectRefusal(await put({ contact: {} }), 400, "InvalidBody").target).toBe("/contact/name");
    expect(await boxContainers(stage)).toEqual([]);
  });
});

describe("the case of a drop box", () => {
  test("has to be open, and its closing closes the box: what had arrived is taken, what comes later refused", async () => {
    const stage = stageOf();
    const supportCase = await stage.openCase();
    const box = await openDropBox(stage, supportCase);
    await box.write("logs.zip", await makeZip());
    await supportCase.close();
    expect(await box.view()).toMatchObject({ state: "closing", closing: { reason: "caseClosed" } });
    await empty(stage, box.dropBoxId);
    expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 1 } });
    await expect(box.write("late.zip")).rejects.toMatchObject({ statusCode: 404 });
    expectRefusal(await box.put(), 403, "CaseNotOpen");
    const path = `${supportCase.path}/dropBoxes/${randomUUID()}`;
    expectRefusal(await supportCase.engineer.call("PUT", path, box.request), 403, "CaseNotOpen");

    // It is the case's, and nobody lends it until the case is open again.
    const { "logs.zip": bundle } = await verifiedBundlesOf(stage, box);
    if (bundle === undefined) throw new Error("The bundle is gone");
    expect(bundle).toMatchObject({ state: "accepted", links: [{ caseNumber: supportCase.caseNumber }] });
    expectRefusal(await supportCase.unlink(bundle), 403, "CaseNotOpen");
    await supportCase.reopen();
    expect((await supportCase.grant([bundle])).state).toBe("active");
  });

  test("keeps its boxes when the case system sends it anew", async () => {
    const stage = stageOf();
    const supportCase = await stage.openCase();
    const box = await openDropBox(stage, supportCase);
    await box.write("logs.zip", await makeZip());
    expectStatus(await supportCase.put({ title: "Another title" }), 200);
    await box.close();
    const { "logs.zip": bundle } = await verifiedBundlesOf(stage, box);
    expect(bundle?.links).toMatchObject([{ caseNumber: supportCase.caseNumber }]);
    expect(await supportCase.view()).not.toHaveProperty("dropBoxIds");
  });
});

describe("a drop box closes by itself", () => {
  test("after 24 hours without a write, and takes what had arrived", async () => {
    const stage = stageOf();
    const box = await openDropBox(stage, await stage.openCase());
    await box.write("logs.zip", await makeZip());
    const soon = stage.another({ real: () => new Date(Date.now() + 23.9 * 3_600_000) });
    await soon.runTimer("sweepUnfinished");
    expect(await box.view()).toMatchObject({ state: "open" });
    await stage.another({ real: () => new Date(Date.now() + 24.1 * 3_600_000) }).runTimer("sweepUnfinished");
    expect(await box.view()).toMatchObject({ state: "closing", closing: { reason: "quiet" } });
    await empty(stage, box.dropBoxId);
    expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 1 } });
  });

  test("when its time is over, however busy it is", async () => {
    const stage = stageOf();
    const box = await openDropBox(stage, await stage.openCase());
    await box.write("logs.zip", await makeZip());
    const later = stage.another({ offsetDays: 3.01 });
    await later.runTimer("sweepUnfinished");
    await empty(later, box.dropBoxId);
    expect(await box.view()).toMatchObject({
      state: "closed",
      closing: { reason: "expired" },
      arrived: { files: 1, refused: [] },
    });
    await later.runTimer("purgeDue");
    expect(await findings(later)).toEqual([]);
  });

  test("[invariant 3] and takes nothing any more whose deletion in time is in doubt", async () => {
    const stage = stageOf();
    const box = await openDropBox(stage, await stage.openCase());
    await box.write("logs.zip", await makeZip());
    const late = stage.another({ offsetDays: 6 });
    expect(await findings(late)).toContain("DropBoxOverdue");
    await late.runTimer("sweepUnfinished");
    await empty(late, box.dropBoxId);
    expect(await box.view()).toMatchObject({
      state: "closed",
      arrived: { files: 0, refused: [{ code: "TooLate", files: 1 }] },
    });
    expect(await blobsIn(stage)).toEqual([]);
  });
});

test("[invariant 3] what came by a drop box goes with the day of the box, with its event and its certificate", async () => {
  const stage = stageOf();
  const box = await openDropBox(stage, await stage.openCase());
  await box.write("logs.zip", await makeZip());
  await box.close();
  await verifiedBundlesOf(stage, box);
  const late = stage.another({ offsetDays: 80.1 });
  await late.runTimer("purgeDue");
  expect(await blobsIn(stage)).toEqual([]);
  const { "logs.zip": bundle } = await bundlesOf(late, box);
  expect(bundle).toMatchObject({ state: "purged", purge: { basis: "age" } });
  const { call } = await late.person("A");
  expectStatus(await call("GET", `/stamps/${box.stampId}/bundles/${bundle?.bundleId}/deletionCertificate`), 200);
  expect(await findings(late)).not.toContain("RowWithoutBytes");
});

test("the case system has what arrived erased on the customer's word, and can take that back; nobody else can", async () => {
  const stage = stageOf();
  const supportCase = await stage.openCase();
  const box = await openDropBox(stage, supportCase);
  await box.write("logs.zip", await makeZip());
  await box.close();
  const { "logs.zip": bundle } = await verifiedBundlesOf(stage, box);
  if (bundle === undefined) throw new Error("Nothing arrived");
  const grant = await supportCase.grant([bundle]);
  const path = `${box.path}/bundles/${bundle.bundleId}`;
  const { call } = await stage.person("C");
  const wish = { decidedBy: "Grace of Contoso", reason: "Contoso wants its logs back." };

  expectRefusal(await supportCase.engineer.call("POST", `${path}:erase`, wish), 403, "RoleMissing");
  const other = await stage.openCase();
  expectRefusal(await call("POST", `${other.path}${path.slice(supportCase.path.length)}:erase`, wish), 404, "NotFound");
  expectRefusal(await call("POST", `${box.path}/bundles/${randomUUID()}:erase`, wish), 404, "NotFound");
  expectRefusal(await call("GET", `${path}/erasure`), 404, "NotFound");
  expectRefusal(await call("POST", `${path}:cancelErase`, wish), 409, "InvalidState");

  const asked = await call("POST", `${path}:erase`, wish);
  expect(expectStatus(asked, 202).json).toMatchObject({ state: "accepted", erasure: {} });
  expect(asked.headers["operation-location"]).toContain(`${path}/erasure?api-version=`);
  expect(Number(asked.headers["retry-after"])).toBeGreaterThan(0);
  expect(expectStatus(await call("GET", `${path}/erasure`), 200).json).toMatchObject({ status: "Running" });
  expectRefusal(await supportCase.issueUrl(grant.grantId, bundle), 403, "PurgeDue");
  expectStatus(await call("POST", `${path}:cancelErase`, wish), 200);
  expectRefusal(await call("GET", `${path}/erasure`), 404, "NotFound");

  // Also once the case is closed: it is the customer's to decide.
  await supportCase.close();
  expectStatus(await call("POST", `${path}:erase`, wish), 202);
  const later = stage.another({ offsetDays: 1.1 });
  await later.runTimer("purgeDue");
  expect(expectStatus(await call("GET", `${path}/erasure`), 200).json).toMatchObject({ status: "Succeeded" });
  expect(await bundlesOf(later, box)).toMatchObject({
    "logs.zip": { state: "purged", purge: { basis: "erasure" } },
  });
  const events = await stage.events(box.partition);
  expect(events.filter(({ type }) => type.startsWith("bundle.erasure")).map(({ actor }) => actor.kind)).toEqual([
    "service",
    "service",
    "service",
  ]);
  expect(JSON.stringify(events)).not.toMatch(/Grace|wants its logs/);
});

test("[invariant 9] a drop box's people and paths can be forgotten, and the ledger holds neither", async () => {
  const stage = stageOf();
  const supportCase = await stage.openCase();
  const box = await openDropBox(stage, supportCase);
  await box.write("Contoso secret/Grace?.zip", await makeZip());
  await box.close();
  await verifiedBundlesOf(stage, box);
  const shown = async () => await readAll(supportCase.engineer.call, `${supportCase.path}/bundles`);
  expect(await shown()).toMatchObject([{ path: "Contoso secret/Grace?.zip", fileName: "Contoso secret_Grace_.zip" }]);
  const { call } = await stage.person("R");
  const events = await stage.events();
  expect(JSON.stringify(events)).not.toMatch(/Contoso|Grace|Ada|ada@/);
  expect(JSON.stringify(stage.logged)).not.toMatch(/Contoso|Grace|Ada|ada@|sig=/);
  const opened = events.find(({ type }) => type === "dropBox.opened");
  for (const who of [opened?.data.contact, opened?.data.decidedBy])
    expectStatus(await call("POST", `/people/${String(who)}:forget`), 204);
  expect(await box.view()).toMatchObject({ contact: {} });
  expect(JSON.stringify(await box.view())).not.toMatch(/Contoso|Grace|ada@/);
  const [bundle] = Object.values(await bundlesOf(stage, box));
  const row = await stage.app.world.stamps.bundle(stampId.parse(box.stampId), bundleId.parse(bundle?.bundleId));
  if (row?.pathNote === undefined) throw new Error("The bundle has no path of its own");
  expect(await stage.app.world.stamps.note(row.stampId, row.pathNote)).toBeUndefined();
  expect((await shown())[0]).not.toHaveProperty("path");
  expectWholeLedger(await stage.events());
});
