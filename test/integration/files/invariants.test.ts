import { randomUUID } from "node:crypto";
import { TableClient } from "@azure/data-tables";
import { QueueClient } from "@azure/storage-queue";
import { expect, test } from "vitest";
import * as z from "zod";
import { extraction } from "../../../shared/api/files.ts";
import { lastDerivingDay } from "../../../shared/domain/retention.ts";
import { utcDay } from "../../../shared/domain/utcDay.ts";
import { reconcile } from "../../../shared/operations/compliance/reconcile.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { zeros } from "../../unit/archive/support/corpus.ts";
import { rawZip } from "../../unit/archive/support/rawZip.ts";
import { zipOf } from "../../unit/archive/support/zips.ts";
import { blobsIn } from "../operations/support/bundles.ts";
import { expectToOutlive } from "../operations/support/outages.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";
import { lentBundle } from "./support.ts";

/** What one file is lent under, how long it is there, and who learns its name. */

const stages = useStages();

const mark = `mark${randomUUID().slice(0, 8)}`;
const path = `Storage-20270203040506.zip/NODE01/${mark}.log`;
const role = await zipOf([{ name: `NODE01/${mark}.log`, content: Buffer.from("event\n".repeat(900)) }]);
const zip = await zipOf([
  { name: "Storage-20270203040506.zip", content: role, compress: false },
  { name: "plain.log", content: Buffer.from("plain") },
]);

const lentIn = async (stage: Stage) => (await blobsIn(stage)).filter((name) => name.startsWith("lent-"));

test("[invariant 5] no file is taken out of a closed case's bundle", async () => {
  const stage = stages();
  const { supportCase, extract, call } = await lentBundle(stage, zip);
  expectStatus(await extract(path), 200);
  await supportCase.close();
  expectRefusal(await extract(path), 403, "GrantNotActive");
  expectRefusal(await call("GET", "/files"), 403, "GrantNotActive");
});

test("[invariant 5] nor for somebody who is not assigned, or by another's grant, or without one", async () => {
  const stage = stages();
  const { supportCase, extract, grant } = await lentBundle(stage, zip);
  const other = await stage.engineer();
  expectRefusal(await extract(path, other), 404, "NotFound");
  await supportCase.put({ assignees: [supportCase.engineer.oid, other.oid] });
  expectRefusal(await extract(path, other), 403, "GrantNotActive");
  expectRefusal(await extract(path, other, { grantId: grant.grantId }), 403, "NotTheGrantee");
  expectRefusal(await extract(path, supportCase.engineer, { grantId: randomUUID() }), 404, "NotFound");
  await supportCase.put({ assignees: [other.oid] });
  expectRefusal(await extract(path), 404, "NotFound");
  expect(await lentIn(stage)).toEqual([]);
});

test("[invariant 5] nor once the grant is revoked, the bundle unlinked, or its deletion due", async () => {
  const stage = stages();
  const revoked = await lentBundle(stage, zip);
  const grantPath = `${revoked.supportCase.path}/accessGrants/${revoked.grant.grantId}`;
  expectStatus(await revoked.supportCase.engineer.call("POST", `${grantPath}:revoke`), 200);
  expectRefusal(await revoked.extract(path), 403, "GrantNotActive");
  const unlinked = await lentBundle(stage, zip);
  await unlinked.supportCase.unlink(unlinked.bundle);
  expectRefusal(await unlinked.extract(path), 409, "BundleNotLinked");
  const due = await lentBundle(stage, zip);
  expectStatus(await due.erase(), 202);
  const named = { grantId: due.grant.grantId };
  expectRefusal(await due.extract(path, due.supportCase.engineer, named), 403, "PurgeDue");
  expectRefusal(await due.extract(path), 403, "GrantNotActive");
  expect(await lentIn(stage)).toEqual([]);
});

test("[invariant 5] nor for a role that the grant does not name", async () => {
  const stage = stages();
  const { extract } = await lentBundle(stage, zip, { roles: ["Compute"] });
  expectRefusal(await extract(path), 403, "RoleNotGranted");
  expectRefusal(await extract("plain.log"), 403, "RoleNotGranted");
  expectRefusal(await extract("there-is-none.log"), 403, "RoleNotGranted");
  expect(await lentIn(stage)).toEqual([]);
});

test("[invariant 5] a colleague's extraction tells no path under a grant that has ended for this stamp", async () => {
  const stage = stages();
  const { stamp, supportCase, bundle, extract } = await lentBundle(stage, zip);
  const second = await lentBundle(stage, zip);
  const [engineer, colleague] = [await stage.engineer(), await stage.engineer()];
  await supportCase.put({ stampIds: [stamp.stampId, second.stamp.stampId], assignees: [engineer.oid, colleague.oid] });
  expectStatus(await supportCase.link(second.bundle, engineer), 201);
  await supportCase.grant([bundle, second.bundle], {}, engineer);
  const manager = await stage.person("R");
  expectStatus(await manager.call("POST", `${stamp.path}:disable`, { reason: "lost" }), 200);
  expectStatus(await manager.call("POST", `${stamp.path}:enable`), 200);
  await supportCase.grant([bundle], { roles: ["Storage"] }, engineer);
  await supportCase.grant([bundle], {}, colleague);
  const { id } = extraction.parse(expectStatus(await extract("plain.log", colleague), 200).json);
  const poll = `${supportCase.linkPath(bundle)}/extractions/${id}`;
  expectStatus(await colleague.call("GET", poll), 200);
  expectRefusal(await engineer.call("GET", poll), 404, "NotFound");
});

test("[invariant 5] the event of each file is committed before its URL, with a digest and the grant's purpose", async () => {
  const stage = stages();
  const { extract, stamp, supportCase, grant } = await lentBundle(stage, zip);
  const { id } = extraction.parse(expectStatus(await extract(path), 200).json);
  const lent = { grantId: grant.grantId, purpose: "troubleshooting", pathDigest: id };
  const told = async (partition: string, type: string) =>
    (await stage.events(partition)).filter((event) => event.type === type).map(({ data }) => data);
  expect(await told(stamp.partition, "bundle.accessed")).toEqual([expect.objectContaining(lent)]);
  expect(await told(supportCase.partition, "url.issued")).toEqual([expect.objectContaining(lent)]);
});

test("[invariant 3] what was lent in parts is dropped a day later", async () => {
  const stage = stages();
  const { extract } = await lentBundle(stage, zip);
  expectStatus(await extract(path), 200);
  await stage.runTimer("purgeDue");
  expect(await lentIn(stage)).toHaveLength(1);
  await stage.another({ offsetDays: 2 }).runTimer("purgeDue");
  expect(await lentIn(stage)).toEqual([]);
});

test("[invariant 3] a day's purge takes what was lent of its bundles with it", async () => {
  const stage = stages();
  const { supportCase, bundle } = await lentBundle(stage, zip);
  const late = stage.another({ offsetDays: 79 });
  const engineer = await late.person("E", supportCase.engineer.oid);
  const request = supportCase.grantRequest([bundle]);
  const grantId = randomUUID();
  expectStatus(await engineer.call("PUT", `${supportCase.path}/accessGrants/${grantId}`, request), 201);
  expectStatus(await engineer.call("POST", `${supportCase.linkPath(bundle)}/files:extract`, { path }), 200);
  expect(await lentIn(stage)).toHaveLength(1);
  await stage.another({ offsetDays: 80 }).runTimer("purgeDue");
  expect(await blobsIn(stage)).toEqual([]);
});

/** By the rules of `infra/modules/bundleAccount.bicep`, which count from a blob's own creation. */
const lifecycleDays = 83;

test("[invariant 3] nothing that is derived from a bundle is created so late that only the purge could delete it in time", async () => {
  const stage = stages();
  const { supportCase, bundle } = await lentBundle(stage, zip);
  const before = await derivedIn(stage);
  expect(before.map(({ name }) => name.replace(/^.*\./, "")).sort()).toEqual(["files", "inventory", "paths/lent"]);
  const late = stage.another({ offsetDays: 60 });
  const engineer = await late.person("E", supportCase.engineer.oid);
  const grantId = randomUUID();
  const request = supportCase.grantRequest([bundle]);
  expectStatus(await engineer.call("PUT", `${supportCase.path}/accessGrants/${grantId}`, request), 201);
  expectStatus(await engineer.call("POST", `${supportCase.linkPath(bundle)}/files:extract`, { path }), 200);
  expect(await derivedIn(stage)).toEqual(before);
});

test("[invariant 3] a bundle that is verified after day 5 gets no inventory, whose rule would run past day 90", async () => {
  expect(lastDerivingDay + lifecycleDays).toBeLessThan(90);
  const stage = stages();
  const stamp = await stage.registeredStamp();
  const created = await stamp.createBundle({ sizeBytes: zip.byteLength });
  await stamp.upload(created, zip);
  expectStatus(await stamp.submit(created.bundleId, zip), 202);
  stage.faults.failWhere(({ method, url }) => method === "GET" && new URL(url).pathname.includes("/bundles-"));
  await stage.verify(created);
  await stage.another({ offsetDays: lastDerivingDay + 0.1 }).verify(created);
  expect((await stamp.bundle(created.bundleId)).state).toBe("accepted");
  expect(await derivedIn(stage)).toEqual([]);
});

/** What lies beside the bundles in their day containers, and when each was created. */
async function derivedIn({ blobs }: Stage): Promise<{ name: string; createdOn: Date | undefined }[]> {
  const found: { name: string; createdOn: Date | undefined }[] = [];
  for await (const { name } of blobs.listContainers({ prefix: "bundles-" })) {
    for await (const blob of blobs.getContainerClient(name).listBlobsFlat()) {
      if (blob.name.includes(".")) found.push({ name: blob.name, createdOn: blob.properties.createdOn });
    }
  }
  return found;
}

test.each(["path", "file"])(
  "[invariant 3] an erasure while the %s is being written leaves nothing of it",
  async (what) => {
    const stage = stages({ settings: { ERASE_DELAY_HOURS: "0" } });
    const { extract, erase } = await lentBundle(stage, zip);
    const held = what === "path" ? /\.paths\// : /\/lent-\d{8}\/.*\//;
    const hold = stage.faults.holdNext(({ method, url }) => method === "PUT" && held.test(url));
    const extracting = extract(path);
    await hold.reached;
    expectStatus(await erase(), 202);
    hold.letGo();
    expectRefusal(await extracting, 403, "PurgeDue");
    expect(await blobsIn(stage)).toEqual([]);
  },
);

test("an auditor's list of accesses tells a file that was read from a whole bundle, folded or not", async () => {
  const stage = stages();
  const { extract, supportCase, grant, bundle } = await lentBundle(stage, zip);
  expectStatus(await extract(path), 200);
  await supportCase.url(grant.grantId, bundle);
  const { call } = await stage.person("A");
  const digests = async () => {
    const { value } = accessPage.parse(expectStatus(await call("GET", "/compliance/accesses"), 200).json);
    return value.map(({ pathDigest }) => pathDigest);
  };
  const expected = [undefined, expect.stringMatching(/^[0-9a-f]{64}$/)];
  expect(await digests()).toEqual(expected);
  await stage.app.timers.foldLedger();
  expect(await digests()).toEqual(expected);
});

const accessPage = z.object({ value: z.array(z.object({ pathDigest: z.string().optional() })) });

test("[invariant 3] the reconciler tells of lent files that nobody dropped", async () => {
  const stage = stages();
  const { extract } = await lentBundle(stage, zip);
  expectStatus(await extract(path), 200);
  const codes = async (days: number) => {
    const { world } = stage.another({ offsetDays: days }).app;
    await reconcile(world);
    return (await world.runs.findings())?.violations.map(({ code }) => code);
  };
  expect(await codes(1)).not.toContain("LentTooLong");
  expect(await codes(3)).toContain("LentTooLong");
});

test("[invariant 9] a path stands beside its bundle alone: in no event, row, message, log line or name of a blob", async () => {
  const stage = stages();
  const large = `Large/${mark}.log`;
  const bundle = rawZip([
    { name: "Storage-20270203040506.zip", data: role },
    { name: large, data: zeros(65), method: 8, sizeBytes: 65 * 1024 * 1024 },
  ]);
  const { extract } = await lentBundle(stage, bundle);
  expectStatus(await extract(path), 200);
  expectStatus(await extract(large), 202);
  const queue = new QueueClient(stage.connectionString, "extract");
  const messages = (await queue.peekMessages({ numberOfMessages: 32 })).peekedMessageItems.map(({ messageText }) =>
    Buffer.from(messageText, "base64").toString(),
  );
  expect(messages).toHaveLength(1);
  const rows: unknown[] = [];
  for await (const { name } of stage.tables.listTables()) {
    if (name === undefined) continue;
    const table = TableClient.fromConnectionString(stage.connectionString, name, { allowInsecureConnection: true });
    for await (const row of table.listEntities()) rows.push(row);
  }
  expect(rows.length).toBeGreaterThan(10);
  const told = JSON.stringify([messages, rows, await stage.events(), stage.logged, await blobsIn(stage)]);
  expect(told).not.toContain(mark);
});

test("a bundle of which a file was lent shows the path to its stamp as long as it lives", async () => {
  const stage = stages({ settings: { ERASE_DELAY_HOURS: "0" } });
  const { extract, stamp, erase, bundle } = await lentBundle(stage, zip);
  expectStatus(await extract(path), 200);
  const accesses = async () => (await stamp.call("GET", `${stamp.path}/accesses`)).text;
  expect(await accesses()).toContain(mark);
  expectStatus(await erase(), 202);
  expect(await accesses()).not.toContain(mark);
  const gone = expectStatus(await stamp.call("GET", stamp.bundlePath(bundle.bundleId)), 200);
  expect(gone.json).not.toHaveProperty("completeness");
});

test("[invariant 1] [invariant 7] an outage at each call of taking a file out", { timeout: 600_000 }, async () => {
  const stage = stages();
  await expectToOutlive(stage, async () => {
    const { extract } = await lentBundle(stage, zip);
    return { act: () => extract(path), writes: {} };
  });
});

test("an outage while the queue takes a file out is no verdict on it: it is tried again, and only the fifth failure is told", async () => {
  const stage = stages();
  const bundle = rawZip([
    { name: "large.log", data: zeros(65), method: 8, sizeBytes: 65 * 1024 * 1024, crc32: 1 },
    { name: "other.log", data: zeros(65), method: 8, sizeBytes: 65 * 1024 * 1024, crc32: 1 },
  ]);
  const { extract, bundle: created, call } = await lentBundle(stage, bundle);
  const ask = async (name: string) => {
    const { id } = extraction.parse(expectStatus(await extract(name), 202).json);
    const message = { ...pick(created), digest: id, lentOn: utcDay(stage.now()) };
    const status = async () => (await call("GET", `/extractions/${id}`)).json;
    return { message, status };
  };
  const { message, status } = await ask("large.log");
  stage.faults.failWhere(({ url }) => url.includes("lent-"));
  await expect(stage.app.queues.extract(message)).rejects.toMatchObject({ code: "ServiceUnavailable" });
  stage.faults.failWhere(undefined);
  expect(await status()).toMatchObject({ status: "Running" });
  await stage.app.queues.extract(message);
  expect(await status()).toMatchObject({ status: "Failed", error: { code: "UnreadableFile" } });

  const poisoned = await ask("other.log");
  await stage.app.queues.extractPoisoned(poisoned.message);
  expect(await poisoned.status()).toMatchObject({ status: "Failed" });
  await ask("other.log");
  expect(await poisoned.status()).toMatchObject({ status: "Running" });
  await stage.app.queues.extract("nonsense");
  await stage.app.queues.extractPoisoned({});
});

const pick = ({ stampId, bundleId }: { stampId: string; bundleId: string }) => ({ stampId, bundleId });
