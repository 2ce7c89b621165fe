import { randomUUID } from "node:crypto";
import { BlobServiceClient } from "@azure/storage-blob";
import { describe, expect, test } from "vitest";
import { withSink } from "../../../shared/log.ts";
import { getRetention } from "../../../shared/operations/compliance/retention.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import { accepted, blobsIn } from "../operations/support/bundles.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";

/** The reconciler lists the accounts rather than trusting the tables (invariant 3). */

const stages = useStages();

async function reconcile(stage: Stage): Promise<{ codes: string[]; lines: string[] }> {
  const lines: string[] = [];
  await withSink(
    (level, line) => void (level === "error" && lines.push(line)),
    () => stage.app.timers.reconcile(),
  );
  const { violations } = await getRetention(stage.app.world);
  return { codes: violations.map(({ code }) => code), lines };
}

const dayContainer = (stage: Stage) => `bundles-${stage.now().toISOString().slice(0, 10).replaceAll("-", "")}`;

describe("[invariant 3] the reconciler", () => {
  test("finds nothing where tables and accounts agree", async () => {
    const stage = stages();
    const stamp = await stage.registeredStamp();
    await accepted(stage, stamp);
    await stamp.createBundle();
    expect(await reconcile(stage)).toEqual({ codes: [], lines: [] });
    expect((await getRetention(stage.app.world)).reconciledOn).toBeDefined();
  });

  test("finds a day container, a landing container and a blob that no row stands for, and says so aloud", async () => {
    const stage = stages();
    const stamp = await stage.registeredStamp();
    await accepted(stage, stamp);
    await stage.blobs.getContainerClient("bundles-20200101").create();
    await stage.blobs.getContainerClient(`landing-20200101-${"ab".repeat(20)}`).create();
    const stray = stage.blobs
      .getContainerClient(dayContainer(stage))
      .getBlockBlobClient(`${randomUUID()}/${randomUUID()}`);
    await stray.upload("left", 4);
    const { codes, lines } = await reconcile(stage);
    expect(codes.sort()).toEqual(["BytesWithoutRow", "ContainerWithoutRow", "LandingWithoutUpload"]);
    expect(lines.every((line) => line.includes('"alert":true') && line.includes("retention.violation"))).toBe(true);
  });

  test("finds an accepted bundle whose bytes are gone", async () => {
    const stage = stages();
    const stamp = await stage.registeredStamp();
    const { bundleId, bundle } = await accepted(stage, stamp);
    await stage.blobs.getContainerClient(dayContainer(stage)).deleteBlob(`${bundle.stampId}/${bundleId}`);
    const { codes } = await reconcile(stage);
    expect(codes).toEqual(["RowWithoutBytes"]);
  });

  test("takes no bundle that is just being verified for a stray one, and a blob of any name for what it is", async () => {
    const stage = stages();
    const stamp = await stage.registeredStamp();
    await accepted(stage, stamp);
    const { bundleId } = await stamp.submittedBundle();
    const container = stage.blobs.getContainerClient(dayContainer(stage));
    await container.getBlockBlobClient(`${stamp.stampId}/${bundleId}`).upload("copied", 6);
    expect((await reconcile(stage)).codes).toEqual([]);
    await container.getBlockBlobClient("no bundle's name").upload("left", 4);
    expect((await reconcile(stage)).codes).toEqual(["BytesWithoutRow"]);
  });

  test("looks again where a bundle comes and another goes after the bytes were listed", async () => {
    const stage = stages({ settings: { ERASE_DELAY_HOURS: "0" } });
    const stamp = await stage.registeredStamp();
    const going = await accepted(stage, stamp);
    const coming = await stamp.submittedBundle();
    const rowsAreRead = stage.faults.holdNext(({ url }) => url.includes("expire"));
    const reconciling = reconcile(stage);
    await rowsAreRead.reached;
    await stage.verify(coming.bundle);
    const why = { decidedBy: "operator", reason: "sent by mistake" };
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(going.bundleId)}:erase`, why), 202);
    rowsAreRead.letGo();
    expect(await reconciling).toEqual({ codes: [], lines: [] });
    const left = await blobsIn(stage);
    expect(left).not.toEqual([]);
    expect(left.filter((name) => !name.includes(coming.bundleId))).toEqual([]);
  });

  test("finds an account that keeps what is deleted", async () => {
    const stage = stages();
    const service = BlobServiceClient.fromConnectionString(stage.connectionString);
    const before = await service.getProperties();
    await service.setProperties({ ...before, deleteRetentionPolicy: { enabled: true, days: 7 } });
    const { codes } = await reconcile(stage);
    expect(codes).toEqual(["AccountKeepsDeleted"]);
  });

  test("finds a purge that has not succeeded for a day", async () => {
    const stage = stages();
    await accepted(stage, await stage.registeredStamp());
    await stage.app.timers.purgeDue();
    expect((await reconcile(stage)).codes).toEqual([]);
    const later = stage.another({ offsetDays: 2 });
    expect((await reconcile(later)).codes).toEqual(["PurgeTimerSilent"]);
  });
});
