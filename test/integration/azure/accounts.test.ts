import { randomUUID } from "node:crypto";
import { BlobServiceClient } from "@azure/storage-blob";
import { describe, expect, test } from "vitest";
import { withSink } from "../../../shared/log.ts";
import { getRetention } from "../../../shared/operations/compliance/retention.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { type Bundle, bundleShape } from "../../support/system/shapes.ts";
import { stampActor } from "../../support/system/stamp.ts";
import { makeZip } from "../../support/system/zip.ts";
import { accepted } from "../operations/support/bundles.ts";
import type { Stage } from "../operations/support/stage.ts";
import { type AccountEntry, useAzure } from "./support/azure.ts";

/** Several accounts for bundles, each a storage of its own: where new bundles go, and what goes on while one of them is down. */

const names = ["bundles1", "bundles2", "bundles3"] as const;
const azure = useAzure(names);
const three: readonly AccountEntry[] = [
  { name: "bundles1", geographies: ["westeurope"] },
  { name: "bundles2", geographies: ["eastus"] },
  { name: "bundles3", geographies: ["chinaeast2"] },
];

const stampIn = (stage: Stage, geography: string) => stage.registeredStamp({ registration: { geography } });
const accountOf = (url: string | undefined): string => new URL(url ?? "").pathname.split("/")[1] ?? "";

async function containersOf(name: string): Promise<string[]> {
  const found: string[] = [];
  const blobs = BlobServiceClient.fromConnectionString(azure().account(name).connectionString);
  for await (const container of blobs.listContainers()) found.push(container.name);
  return found;
}

/** As its row has it, which an auditor sees: a stamp is shown more, for which its account is asked. */
async function stateOf(stage: Stage, { stampId, bundleId }: Bundle): Promise<string> {
  const { call } = await stage.person("A");
  return bundleShape.parse(expectStatus(await call("GET", `/stamps/${stampId}/bundles/${bundleId}`), 200).json).state;
}

async function linesOf(work: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  await withSink((_level, line) => void lines.push(line), work);
  return lines;
}

async function findings(stage: Stage): Promise<string[]> {
  await stage.app.timers.reconcile();
  return (await getRetention(stage.app.world)).violations.map(({ code, message }) => `${code}: ${message}`);
}

describe("[invariant 2] where a bundle goes", () => {
  test("is the account of its stamp's geography", async () => {
    const stage = azure().stage({ accounts: three });
    for (const { name, geographies = [] } of three) {
      const { upload } = await (await stampIn(stage, geographies[0] ?? "")).createBundle();
      expect(accountOf(upload?.url)).toBe(name);
    }
  });

  test("it stays when accounts are added and its own is drained: upload, verification and purge go on there", async () => {
    const before = azure().stage({ accounts: [{ name: "bundles1" }] });
    const stamp = await before.registeredStamp();
    const bytes = await makeZip();
    const created = await stamp.createBundle({ sizeBytes: bytes.byteLength });

    const accounts = [{ name: "bundles1", draining: true }, { name: "bundles2" }, { name: "bundles3" }];
    const after = azure().stage({ accounts });
    const later = stampActor(after, { stampId: stamp.stampId, key: stamp.key });
    expect(["bundles2", "bundles3"]).toContain(accountOf((await later.createBundle()).upload?.url));
    const renewed = await later.call("POST", `${stamp.bundlePath(created.bundleId)}:renewUpload`);
    const { upload } = bundleShape.parse(expectStatus(renewed, 200).json);
    expect(accountOf(upload?.url)).toBe("bundles1");
    await later.upload({ ...created, upload }, bytes);
    expectStatus(await later.submit(created.bundleId, bytes), 202);
    await after.verify({ stampId: stamp.stampId, bundleId: created.bundleId });
    expect(await later.bundle(created.bundleId)).toMatchObject({ state: "accepted" });
    expect(await containersOf("bundles1")).toContainEqual(expect.stringMatching(/^bundles-/));

    const onDay81 = azure().stage({ accounts, days: 81 });
    await onDay81.runTimer("sweepUnfinished");
    await onDay81.runTimer("purgeDue");
    expect(await later.bundle(created.bundleId)).toMatchObject({ state: "purged" });
    expect(await containersOf("bundles1")).toEqual([]);
    const drained = await linesOf(() => onDay81.app.timers.reconcile());
    expect(drained).toContainEqual(expect.stringMatching(/"event":"account.drained".*"account":"bundles1"/));
  });

  test("[invariant 3] an account that is taken out of the settings too early is found", async () => {
    const stage = azure().stage({ accounts: [{ name: "bundles1" }] });
    await accepted(stage, await stage.registeredStamp());
    const without = azure().stage({ accounts: [{ name: "bundles2" }] });
    expect(await findings(without)).toContainEqual(expect.stringMatching(/^AccountNotConfigured: Account bundles1 /));
    const back = azure().stage({ accounts: [{ name: "bundles1", draining: true }, { name: "bundles2" }] });
    expect(await findings(back)).not.toContainEqual(expect.stringMatching(/^AccountNotConfigured/));
  });
});

/** The last test: it takes one of the storages down for good. */
test("[invariant 3] [invariant 7] while one account is down, everything that concerns the others goes on", async () => {
  const stage = azure().stage({ accounts: three });
  const [west, east, china] = [
    await stampIn(stage, "westeurope"),
    await stampIn(stage, "eastus"),
    await stampIn(stage, "chinaeast2"),
  ];
  const [first, unlucky, third] = [
    await accepted(stage, west),
    await accepted(stage, east),
    await accepted(stage, china),
  ];
  const [abandoned, abandonedEast] = [await west.createBundle(), await east.createBundle()];
  const waiting = await china.submittedBundle();
  const waitingEast = await east.submittedBundle();
  await azure().account("bundles2").stop();

  expect((await stage.anonymous("GET", "/health")).status).toBe(200);
  const refused = await east.call("PUT", east.bundlePath(randomUUID()), await east.bundleRequest());
  expectRefusal(refused, 503, "ServiceUnavailable");
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  expect(await stateOf(stage, unlucky.bundle)).toBe("accepted");
  expect((await accepted(stage, west)).bundle.state).toBe("accepted");
  await stage.verify(waiting.bundle);
  expect((await china.bundle(waiting.bundleId)).state).toBe("accepted");
  await stage.verify(waitingEast.bundle).catch(() => {});
  expect(await stateOf(stage, waitingEast.bundle)).toBe("submitted");

  const stray = BlobServiceClient.fromConnectionString(azure().account("bundles3").connectionString);
  await stray.getContainerClient("bundles-20200101").create();
  const found = await findings(stage);
  expect(found).toContainEqual(expect.stringMatching(/^AccountUnreadable: .*bundles2/));
  expect(found).toContainEqual(expect.stringMatching(/^ContainerWithoutRow: Account bundles3 has bundles-20200101/));
  expect(found.filter((each) => each.includes("bundles1"))).toEqual([]);
  await stray.getContainerClient("bundles-20200101").delete();

  const onDay3 = azure().stage({ accounts: three, days: 3 });
  await expect(onDay3.runTimer("sweepUnfinished")).rejects.toThrow(/failed; the rest is done/);
  expect((await west.bundle(abandoned.bundleId)).state).toBe("expired");
  const landing = new URL(abandoned.upload?.url ?? "").pathname.split("/")[2];
  expect(await containersOf("bundles1")).not.toContain(landing);
  // It has ended, and nobody says that its bytes are gone.
  const { state, purge } = await east.bundle(abandonedEast.bundleId);
  expect([state, purge?.deletedOn]).toEqual(["expired", undefined]);

  const onDay81 = azure().stage({ accounts: three, days: 81 });
  await expect(onDay81.runTimer("purgeDue")).rejects.toThrow(/failed; the rest is done/);
  expect((await west.bundle(first.bundleId)).state).toBe("purged");
  expect((await china.bundle(third.bundleId)).state).toBe("purged");
  expect(await stateOf(stage, unlucky.bundle)).toBe("accepted");
  expect([await containersOf("bundles1"), await containersOf("bundles3")]).toEqual([[], []]);
  const said = onDay81.logged.filter((line) => line.includes("purge.failed") && line.includes('"alert":true'));
  expect(said).not.toEqual([]);
  expect(said.filter((line) => !line.includes('"account":"bundles2"'))).toEqual([]);
});
