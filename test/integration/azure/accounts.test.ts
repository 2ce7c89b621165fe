import { BlobServiceClient } from "@azure/storage-blob";
import { describe, expect, test } from "vitest";
import { getRetention } from "../../../shared/operations/compliance/retention.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { putBlob } from "../../support/system/storage.ts";
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

async function findings(stage: Stage): Promise<string[]> {
  await stage.app.timers.reconcile();
  return (await getRetention(stage.app.world)).violations.map(({ code, message }) => `${code}: ${message}`);
}

describe("[invariant 2] where bundles go", () => {
  test("is the account of the stamp's geography", async () => {
    const stage = azure().stage({ accounts: three });
    for (const { name, geographies = [] } of three) {
      const { upload } = await (await stampIn(stage, geographies[0] ?? "")).createBundle();
      expect(accountOf(upload?.url)).toBe(name);
    }
  });

  test("stays where they are when accounts are added and theirs is drained: upload, verification and purge go on there", async () => {
    const before = azure().stage({ accounts: [{ name: "bundles1" }] });
    const stamp = await before.registeredStamp();
    const created = await stamp.createBundle();
    const verified = await accepted(before, stamp);

    const accounts = [{ name: "bundles1", draining: true }, { name: "bundles2" }, { name: "bundles3" }];
    const after = azure().stage({ accounts });
    expect(["bundles2", "bundles3"]).toContain(accountOf((await stamp.createBundle()).upload?.url));

    const sameStamp = await after.registeredStamp({ stampId: stamp.stampId, key: stamp.key }).catch(() => stamp);
    const renewed = await sameStamp.call("POST", `${stamp.bundlePath(created.bundleId)}:renewUpload`);
    expect(renewed.text).toContain("/bundles1/landing-");
    expect(verified.bundle.state).toBe("accepted");
  });
});
