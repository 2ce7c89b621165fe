import { BlobServiceClient } from "@azure/storage-blob";
import { QueueServiceClient } from "@azure/storage-queue";
import { expect, test } from "vitest";
import { expectWholeLedger } from "../../support/ledger.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import { certificateShape } from "../../support/system/shapes.ts";
import { getBlob, putBlob } from "../../support/system/storage.ts";
import { makeZip, sha256Hex } from "../../support/system/zip.ts";
import { accepted } from "../operations/support/bundles.ts";
import { openDropBox, verifiedBundlesOf } from "../operations/support/dropBoxes.ts";
import { clientId, useAzure } from "./support/azure.ts";

/** No key anywhere: tables, queues and blobs by the app's identity, every URL by user delegation, all of it over HTTPS. */

const azure = useAzure(["bundles1"]);
const accounts = [{ name: "bundles1" }];

const containers = async (): Promise<string[]> => {
  const names: string[] = [];
  const blobs = BlobServiceClient.fromConnectionString(azure().account("bundles1").connectionString);
  for await (const { name } of blobs.listContainers()) names.push(name);
  return names;
};

test("[invariant 3] [invariant 5] [invariant 6] a bundle lives its whole life by the app's identity alone", async () => {
  const stage = azure().stage({ accounts });
  const stamp = await stage.registeredStamp();
  const bytes = await makeZip(300_000);
  const created = await stamp.createBundle({ sizeBytes: bytes.byteLength });
  const upload = created.upload ?? { url: "", requiredHeaders: {} };
  expect([...new URL(upload.url).searchParams.keys()]).toContain("skoid");
  await stamp.upload(created, bytes, { blockBytes: 100_000 });
  expectStatus(await stamp.submit(created.bundleId, bytes), 202);

  const queues = QueueServiceClient.fromConnectionString(azure().state.connectionString);
  const { peekedMessageItems: waiting } = await queues.getQueueClient("verify").peekMessages({ numberOfMessages: 32 });
  const messages = waiting.map(({ messageText }) => Buffer.from(messageText, "base64").toString());
  expect(messages).toContainEqual(expect.stringContaining(created.bundleId));
  await stage.verify({ stampId: stamp.stampId, bundleId: created.bundleId });
  const bundle = await stamp.bundle(created.bundleId);
  expect(bundle).toMatchObject({ state: "accepted", sha256: sha256Hex(bytes) });
  expect((await putBlob(upload, bytes)).status).toBe(404);

  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { grantId } = await supportCase.grant([bundle]);
  const url = await supportCase.url(grantId, bundle);
  expect(new URL(url).searchParams.get("spr")).toBe("https");
  expect((await getBlob(url)).body.equals(bytes)).toBe(true);

  const onDay81 = azure().stage({ accounts, days: 81 });
  await onDay81.runTimer("purgeDue");
  expect((await getBlob(url)).status).toBe(404);
  expect(await containers()).toEqual([]);
  const certificate = await stamp.call("GET", `${stamp.bundlePath(created.bundleId)}/deletionCertificate`);
  certificateShape.parse(expectStatus(certificate, 200).json);
  expectWholeLedger(await stage.events());
  expect([...azure().identity.clientIds]).toEqual([clientId]);
});

test("[invariant 2] a drop box is written with a container's URL by user delegation, and closing it ends that", async () => {
  const stage = azure().stage({ accounts });
  const supportCase = await stage.openCase();
  const box = await openDropBox(stage, supportCase);
  const query = new URL(box.opened.upload?.url ?? "").searchParams;
  expect([query.get("sr"), query.get("spr"), query.has("skoid")]).toEqual(["c", "https", true]);
  expect(Date.parse(query.get("ske") ?? "")).toBeGreaterThan(Date.parse(query.get("se") ?? ""));
  const zip = await makeZip();
  await box.write("Storage-20180505055532.zip", zip);
  await box.close();
  await expect(box.write("late.zip", zip)).rejects.toMatchObject({ statusCode: 404 });
  const { "Storage-20180505055532.zip": bundle } = await verifiedBundlesOf(stage, box);
  expect(bundle).toMatchObject({ state: "accepted", sha256: sha256Hex(zip) });
});

test("[invariant 5] [invariant 9] no signature, key or token is in a line, an event or a row", async () => {
  const stage = azure().stage({ accounts });
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { grantId } = await supportCase.grant([bundle]);
  const signature = new URL(await supportCase.url(grantId, bundle)).searchParams.get("sig") ?? "";
  const said = JSON.stringify([stage.logged, await stage.events()]);
  expect(signature).not.toBe("");
  for (const secret of [signature, encodeURIComponent(signature), "sig=", "unsigned"])
    expect(said).not.toContain(secret);
});
