import { describe, expect, test } from "vitest";
import { withSink } from "../../../shared/log.ts";
import { getRetention } from "../../../shared/operations/compliance/retention.ts";
import type { AccountChanges } from "../../support/azure/resourceManager.ts";
import type { Stage } from "../operations/support/stage.ts";
import { useAzure } from "./support/azure.ts";

/** What Resource Manager tells of the accounts: some of it stops the start, all of it is a finding (invariant 3). */

const azure = useAzure(["bundles1", "bundles2"]);
const accounts = [{ name: "bundles1" }, { name: "bundles2" }];

async function saying(work: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  await withSink((_level, line) => void lines.push(line), work);
  return lines;
}

async function findings(stage: Stage): Promise<string[]> {
  await saying(stage.app.timers.reconcile);
  return (await getRetention(stage.app.world)).violations.map(({ code, message }) => `${code}: ${message}`);
}

/** With an account of those settings: what the start says, and what the reconciler finds. */
async function startOf(changes: AccountChanges): Promise<{ refusal: string; said: string[]; found: string[] }> {
  const stage = azure().stage({ accounts });
  azure().resourceManager.change("bundles2", changes);
  let refusal = "none";
  const said = await saying(async () => {
    await stage.app.check().catch((error: Error) => {
      refusal = `${error.name} ${error.message}`;
    });
  });
  const found = await findings(stage);
  azure().resourceManager.change("bundles2", {});
  return { refusal, said, found };
}

describe("[invariant 3] accounts that are as they should be", () => {
  test("start, and nothing is found; each is asked about at the start and by each run of the reconciler, with nothing but reads", async () => {
    const before = azure().resourceManager.asked.length;
    expect(await startOf({})).toEqual({ refusal: "none", said: [], found: [] });
    const asked = azure().resourceManager.asked.slice(before);
    const parts = ["", "/blobServices/default", "/objectReplicationPolicies"];
    const once = accounts.flatMap(({ name }) =>
      parts.map((part) => `GET ${azure().resourceManager.idOf(name)}${part}`),
    );
    expect(asked.toSorted()).toEqual([...once, ...once].toSorted());
  });

  test("that are newer than this service, with TLS 1.3, are as good", async () => {
    expect(await startOf({ properties: { minimumTlsVersion: "TLS1_3" } })).toMatchObject({
      refusal: "none",
      found: [],
    });
  });
});

describe("[invariant 3] an account that keeps deleted data", () => {
  test.each<[string, AccountChanges, string]>([
    ["deleted blobs", { blobs: { deleteRetentionPolicy: { enabled: true, days: 7 } } }, "soft delete of blobs is on"],
    [
      "deleted containers",
      { blobs: { containerDeleteRetentionPolicy: { enabled: true, days: 7 } } },
      "soft delete of containers is on",
    ],
    ["versions", { blobs: { isVersioningEnabled: true } }, "versioning is on"],
    ["all of the last days", { blobs: { restorePolicy: { enabled: true, days: 6 } } }, "point-in-time restore is on"],
    [
      "copies elsewhere",
      { policies: [{ id: "p", name: "p", properties: { sourceAccount: "bundles2", destinationAccount: "other" } }] },
      "it has object replication policies",
    ],
  ])(
    "%s: the start is refused, with the setting and what to do; the reconciler finds it",
    async (_, changes, words) => {
      const { refusal, found } = await startOf(changes);
      expect(refusal).toMatch(/^ConfigurationError BUNDLE_ACCOUNTS: account bundles2: /);
      expect(refusal).toContain(words);
      expect(refusal).toMatch(/; (turn it off|delete them)$/);
      expect(found).toEqual([expect.stringMatching(/^AccountKeepsDeleted: Account bundles2: /)]);
      expect(found[0]).toContain(words);
    },
  );
});

describe("an account with a way in beside the roles starts, and is a finding, said aloud", () => {
  test.each<[string, AccountChanges, string]>([
    ["keys", { properties: { allowSharedKeyAccess: true } }, "its keys are accepted"],
    ["keys, as by default", { properties: { allowSharedKeyAccess: null } }, "its keys are accepted"],
    ["public containers", { properties: { allowBlobPublicAccess: true } }, "containers may be made public"],
    ["old TLS", { properties: { minimumTlsVersion: "TLS1_0" } }, "TLS older than 1.2"],
    ["plain HTTP", { properties: { supportsHttpsTrafficOnly: false } }, "plain HTTP"],
  ])("%s", async (_, changes, words) => {
    const { refusal, said, found } = await startOf(changes);
    expect(refusal).toBe("none");
    expect(said).toEqual([expect.stringMatching(/"event":"retention.violation".*"code":"AccountUnguarded"/)]);
    expect(said[0]).toContain('"account":"bundles2"');
    expect(found).toEqual([expect.stringMatching(/^AccountUnguarded: Account bundles2: /)]);
    expect(found[0]).toContain(words);
  });
});

describe("a Resource Manager that does not answer", () => {
  test.each([403, 404, 500])("%i: the start goes on and says so, and the reconciler finds it", async (status) => {
    const { refusal, said, found } = await startOf({ status });
    expect(refusal).toBe("none");
    expect(said).toEqual([expect.stringMatching(/"event":"accounts.unchecked".*"account":"bundles2"/)]);
    expect(found).toEqual([expect.stringMatching(/^AccountSettingsUnreadable: How account bundles2 is set up/)]);
  });
});
