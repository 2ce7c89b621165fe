import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { counted, expectWholeLedger } from "../support/ledger.ts";
import type { CaseActor } from "../support/system/cases.ts";
import { type DropBoxActor, dropBoxRequest, dropBoxShape, openDropBox } from "../support/system/dropBoxes.ts";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { verifiedPaper } from "../support/system/papers.ts";
import { certificateShape, type DropBoxBundle, dropBoxBundleShape } from "../support/system/shapes.ts";
import type { StampActor } from "../support/system/stamp.ts";
import { blobAccount, blobsHeld, getBlob, moved, queueOf, storageCall } from "../support/system/storage.ts";
import { openWorld, readAll, type World } from "../support/system/world.ts";
import { makeZip, sha256Hex } from "../support/system/zip.ts";
import { until } from "../support/until.ts";

/** Logs of a stamp that is not registered, from the URL for its privileged endpoint to what support reads. */

let world: World;
let directory: string;
beforeAll(async () => {
  world = await openWorld();
  directory = await mkdtemp(join(tmpdir(), "stamp-intake-box-"));
});
afterAll(async () => {
  await Promise.all([world?.close(), rm(directory, { recursive: true, force: true })]);
});

const run = promisify(execFile);

/** Whether a client is installed that nobody here wrote. */
const installed = async (tool: string): Promise<boolean> =>
  run(tool, ["--version"]).then(
    () => true,
    () => false,
  );
const [hasCurl, hasRclone] = [await installed("curl"), await installed("rclone")];

const urlOf = ({ opened }: DropBoxActor): string => opened.upload?.url ?? "";

/** The URL of one file in the box. */
function fileUrl(box: DropBoxActor, path: string): string {
  const url = new URL(urlOf(box));
  url.pathname += `/${path}`;
  return url.href;
}

/** The bundles of the case that the box made, once all of them are verified. */
const accepted = async (supportCase: CaseActor, count: number): Promise<DropBoxBundle[]> =>
  await until("the bundles to be accepted", async () => {
    const listed = await readAll(supportCase.engineer.call, `${supportCase.path}/bundles`);
    const bundles = z.array(dropBoxBundleShape).parse(listed);
    return bundles.length === count && bundles.every(({ state }) => state === "accepted") ? bundles : undefined;
  });

describe("a drop box", () => {
  it("is a road from a container's URL to an engineer's download", async () => {
    const supportCase = await world.openCase();
    const box = await openDropBox(world, supportCase);
    const zip = await makeZip(100_000);
    await box.write("AzureStackLogs-20240927104305-SAC14-ERCS01.zip", zip);
    expect(await box.close()).toMatchObject({ state: "closed", arrived: { files: 1, bytes: zip.byteLength } });
    const [bundle] = await accepted(supportCase, 1);
    if (bundle === undefined) throw new Error("Nothing arrived");
    expect(bundle).toMatchObject({ stampId: box.stampId, dropBoxId: box.dropBoxId, sha256: sha256Hex(zip) });

    const { grantId } = await supportCase.grant([bundle]);
    const { body } = await getBlob(await supportCase.url(grantId, bundle));
    expect(sha256Hex(body)).toBe(bundle.sha256);
    const { call } = await world.person("A");
    expect(await readAll(call, `/stamps/${box.stampId}/accesses`)).toMatchObject([{ bundleId: bundle.bundleId }]);
    expectWholeLedger(await world.events(box.partition));
  });

  it("can be written, read and listed while it is open, and not emptied; once it is closed there is nothing", async () => {
    const supportCase = await world.openCase();
    const box = await openDropBox(world, supportCase);
    const hours = (Date.parse(box.opened.upload?.expiresOn ?? "") - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(71.9);
    expect(hours).toBeLessThanOrEqual(72);
    const put = { headers: { "x-ms-blob-type": "BlockBlob" }, body: "one" };
    expectStatus(await storageCall(fileUrl(box, "one.log"), "PUT", put), 201);
    expect((await storageCall(fileUrl(box, "one.log"), "GET")).text).toBe("one");
    const list = { query: { restype: "container", comp: "list" } };
    expect((await storageCall(urlOf(box), "GET", list)).text).toContain("one.log");
    expect((await storageCall(fileUrl(box, "one.log"), "DELETE")).status).toBe(403);
    expect((await storageCall(urlOf(box), "DELETE", { query: { restype: "container" } })).status).toBe(403);

    await box.close();
    expect((await storageCall(fileUrl(box, "one.log"), "GET")).status).toBe(404);
    expect((await storageCall(fileUrl(box, "two.log"), "PUT", put)).status).toBe(404);
    expect((await storageCall(urlOf(box), "GET", list)).status).toBe(404);
    expect((await blobsHeld(world.service.directory)).filter((name) => name.startsWith("box-"))).toEqual([]);
  });

  it.skipIf(!hasCurl)("takes what curl sends (skipped where there is none)", async () => {
    const supportCase = await world.openCase();
    const box = await openDropBox(world, supportCase);
    const zip = await makeZip();
    const file = join(directory, "curl.zip");
    await writeFile(file, zip);
    await run("curl", ["-sSf", "-T", file, "-H", "x-ms-blob-type: BlockBlob", fileUrl(box, "curl.zip")]);
    await box.close();
    expect(await accepted(supportCase, 1)).toMatchObject([{ fileName: "curl.zip", sha256: sha256Hex(zip) }]);
  });

  it.skipIf(!hasRclone)("takes what rclone copies (skipped where there is none)", async () => {
    const supportCase = await world.openCase();
    const box = await openDropBox(world, supportCase);
    const source = await mkdtemp(join(directory, "rclone-"));
    const zip = await makeZip();
    await writeFile(join(source, "Storage-20240927104305.zip"), zip);
    await writeFile(join(source, "Get-AzureStackLog_Output.log"), "PS>TerminatingError");
    const name = box.container.containerName;
    const options = ["--config", "/dev/null", "--azureblob-sas-url", urlOf(box)];
    await run("rclone", ["copy", source, `:azureblob:${name}/logs`, ...options]);
    expect(await box.close()).toMatchObject({ arrived: { files: 2, refused: [] } });
    const bundles = await accepted(supportCase, 2);
    expect(bundles.find(({ contentType }) => contentType === "application/zip")?.sha256).toBe(sha256Hex(zip));
  });

  it("is the case's: of no engineer elsewhere, and only for whom the contract names", async () => {
    const supportCase = await world.openCase();
    const box = await openDropBox(world, supportCase);
    const stranger = await world.engineer();
    expectRefusal(await box.put({}, stranger), 404, "NotFound");
    expectRefusal(await stranger.call("GET", box.path), 404, "NotFound");
    expectRefusal(await stranger.call("POST", `${box.path}:close`), 404, "NotFound");
    for (const role of ["A", "R"] as const)
      expectRefusal(await box.put({}, await world.person(role)), 403, "RoleMissing");
    const missing = `${supportCase.path}/dropBoxes/${randomUUID()}`;
    expectRefusal(await supportCase.engineer.call("GET", missing), 404, "NotFound");
    expectRefusal(await supportCase.engineer.call("POST", `${missing}:close`), 404, "NotFound");
  });

  it("is listed with its like, in pages", async () => {
    const supportCase = await world.openCase();
    const boxes = [await openDropBox(world, supportCase), await openDropBox(world, supportCase)];
    const listed = await readAll(supportCase.engineer.call, `${supportCase.path}/dropBoxes`, { top: "1" });
    expect(
      z
        .array(dropBoxShape)
        .parse(listed)
        .map(({ dropBoxId }) => dropBoxId),
    ).toEqual(boxes.map(({ dropBoxId }) => dropBoxId).sort());
  });

  it("changes under no If-Match that is not its own", async () => {
    const supportCase = await world.openCase();
    const box = await openDropBox(world, supportCase);
    const headers = (etag: string) => ({ headers: { "if-match": etag } });
    const { call } = supportCase.engineer;
    const { etag = "" } = (await call("GET", box.path)).headers;
    expectStatus(await call("PUT", box.path, box.request, headers(String(etag))), 200);
    expectRefusal(await call("PUT", box.path, box.request, headers('"other"')), 412, "ConditionNotMet");
    const another = `${supportCase.path}/dropBoxes/${randomUUID()}`;
    expectRefusal(await call("PUT", another, box.request, headers("*")), 412, "ConditionNotMet");
  });

  it("of a closed case is refused", async () => {
    const supportCase = await world.openCase();
    const request = await dropBoxRequest(world);
    await supportCase.close();
    const path = `${supportCase.path}/dropBoxes/${randomUUID()}`;
    expectRefusal(await supportCase.engineer.call("PUT", path, request), 403, "CaseNotOpen");
  });
});

describe("a Cloud ID that is also the id of a drop box", () => {
  /** Certificate, accesses and history of each are its own, whatever the other has under the same id. */
  async function expectApart(supportCase: CaseActor, box: DropBoxActor, stamp: StampActor): Promise<void> {
    const zip = await makeZip();
    await box.write("logs.zip", zip);
    await box.close();
    const [dropped] = await accepted(supportCase, 1);
    if (dropped === undefined) throw new Error("Nothing arrived");
    const { bundle: sent } = await stamp.acceptedBundle();
    expect(dropped.stampId).toBe(box.stampId);
    expect(dropped.stampId).not.toBe(stamp.stampId);

    // The box is the case's; the stamp of the same id is not.
    expectRefusal(await supportCase.link(sent), 409, "StampNotOnCase");
    const stamps = await world.openCase({ stampIds: [stamp.stampId], engineers: [supportCase.engineer] });
    expectStatus(await stamps.link(sent), 201);
    expectRefusal(await stamps.link(dropped), 409, "StampNotOnCase");
    for (const [of, bundle] of [
      [supportCase, dropped],
      [stamps, sent],
    ] as const) {
      const { grantId } = await of.grant([bundle]);
      expect(sha256Hex((await getBlob(await of.url(grantId, bundle))).body)).toBe(bundle.sha256);
    }

    const { call } = await world.person("A");
    for (const { stampId, bundleId } of [dropped, sent]) {
      expect(await readAll(call, `/stamps/${stampId}/bundles`)).toMatchObject([{ bundleId }]);
      expect(await readAll(call, `/stamps/${stampId}/accesses`)).toMatchObject([{ bundleId }]);
    }
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(sent.bundleId)}:erase`, said), 202);
    const erase = `${box.path}/bundles/${dropped.bundleId}:erase`;
    const { call: caseSystem } = await world.person("C");
    expectRefusal(await caseSystem("POST", `${box.path}/bundles/${sent.bundleId}:erase`, said), 404, "NotFound");
    expectStatus(await caseSystem("POST", erase, said), 202);
    expect((await stamp.bundle(sent.bundleId)).state).toBe("purged");
    for (const bundle of [dropped, sent]) {
      const path = `/stamps/${bundle.stampId}/bundles/${bundle.bundleId}/deletionCertificate`;
      const { certificate } = certificateShape.parse(expectStatus(await call("GET", path), 200).json);
      const { sub, bundleId } = await verifiedPaper(world, certificate, "deletion-certificate+jwt");
      expect([sub, bundleId]).toEqual([bundle.stampId, bundle.bundleId]);
    }
    for (const partition of [box.partition, stamp.partition]) expectWholeLedger(await world.events(partition));
  }
  const said = { decidedBy: "Grace of Contoso", reason: "Contoso wants its logs back." };

  beforeAll(() => world.restart({ ERASE_DELAY_HOURS: "0" }));
  afterAll(() => world.restart());

  it("registers after the box was opened, and each keeps its own bundles, grants and certificates", async () => {
    const stampId = randomUUID();
    const supportCase = await world.openCase();
    const box = await openDropBox(world, supportCase, {}, { dropBoxId: stampId });
    const stamp = await world.registeredStamp({ stampId });
    await expectApart(supportCase, box, stamp);
  });

  it("is registered before the box is opened, and each keeps its own bundles, grants and certificates", async () => {
    const stamp = await world.registeredStamp();
    const supportCase = await world.openCase();
    const box = await openDropBox(world, supportCase, {}, { dropBoxId: stamp.stampId });
    await expectApart(supportCase, box, stamp);
  });
});

describe("messages of Event Grid", () => {
  it("that are none keep nothing from its work, and one that is tells of an arrival", async () => {
    const supportCase = await world.openCase();
    const box = await openDropBox(world, supportCase);
    const queue = await queueOf(world.service.directory, "arrivals");
    const { accountName } = await blobAccount(world.service.directory);
    const event = {
      id: randomUUID(),
      topic: `/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/${accountName}`,
      subject: `/blobServices/default/containers/${box.container.containerName}/blobs/logs.zip`,
      eventType: "Microsoft.Storage.BlobCreated",
      eventTime: new Date().toISOString(),
      data: { api: "PutBlockList" },
    };
    const messages = ["no json", "{}", JSON.stringify({ ...event, subject: "x" }), JSON.stringify(event)];
    for (const text of [...messages, ...messages]) await queue.sendMessage(Buffer.from(text).toString("base64"));
    await until("the messages to be taken", async () => {
      const { approximateMessagesCount } = await queue.getProperties();
      return approximateMessagesCount === 0;
    });
    const poisoned = await queueOf(world.service.directory, "arrivals-poison");
    expect((await poisoned.getProperties()).approximateMessagesCount).toBe(0);
    expect(counted(await world.events(box.partition))).toEqual({ "dropBox.opened": 1 });
    expect(await box.view()).toMatchObject({ state: "open" });
  });
});

describe("[invariant 3] a drop box", () => {
  it("closes by itself when its time is over, and what arrived is deleted with its day", async () => {
    const supportCase = await world.openCase();
    const box = await openDropBox(world, supportCase, { durationHours: 1 });
    const zip = await makeZip();
    await box.write("logs.zip", zip);
    await world.restart({ CLOCK_OFFSET_DAYS: "0.1" });
    const over = await box.view();
    // The sweeper's own round may have come by since the start.
    expect(["closing", "closed"]).toContain(over.state);
    expect(over.closing?.reason).toBe("expired");
    expect(expectStatus(await box.put(), 200).json).not.toHaveProperty("upload");
    await world.runTimer("sweepUnfinished");
    await until("the box to be closed", async () => (await box.view()).state === "closed");
    const [bundle] = await accepted(supportCase, 1);
    expect(bundle?.sha256).toBe(sha256Hex(zip));
    const gone = await storageCall(await moved(fileUrl(box, "logs.zip"), world.service.directory), "GET");
    expect([403, 404]).toContain(gone.status);

    await world.restart({ CLOCK_OFFSET_DAYS: "81" });
    await world.runTimer("purgeDue");
    const { call } = await world.person("A");
    const certificate = `/stamps/${box.stampId}/bundles/${bundle?.bundleId}/deletionCertificate`;
    expectStatus(await call("GET", certificate), 200);
  });
});
