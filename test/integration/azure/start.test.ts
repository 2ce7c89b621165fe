import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type IdentityEndpoint, startIdentityEndpoint } from "../../support/azure/identityEndpoint.ts";
import { type ResourceManager, startResourceManager } from "../../support/azure/resourceManager.ts";
import { tlsFiles } from "../../support/azure/tls.ts";
import { startTestAzurite, type TestAzurite } from "../../support/azurite.ts";
import { cleanUp, makeDirectory, run, type ServiceProcess } from "../../support/host-app/process.ts";
import { until } from "../../support/until.ts";

/** The service as a process, with settings that it must not start with: it names the setting, and says what to do. */

let storage: TestAzurite;
let identity: IdentityEndpoint;
let resourceManager: ResourceManager;

beforeAll(async () => {
  [storage, identity, resourceManager] = await Promise.all([
    startTestAzurite(),
    startIdentityEndpoint(),
    startResourceManager(),
  ]);
});
afterEach(cleanUp);
afterAll(() => Promise.all([storage.stop(), identity.stop(), resourceManager.stop()]));

/** The service's own functions, on this storage, with a managed identity. */
async function begin(environment: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  return run("start.ts", {
    LOCAL_DIR: await makeDirectory(),
    PORT: "0",
    AzureWebJobsStorage: storage.connectionString,
    NODE_EXTRA_CA_CERTS: tlsFiles.cert,
    ...identity.environment,
    ...environment,
  });
}

async function refusalOf(environment: Readonly<Record<string, string>>): Promise<string> {
  const service = await begin(environment);
  expect(await service.exitCode()).toBe(1);
  expect(service.stdout()).toBe("");
  return service.stderr().trimEnd().split("\n").at(-1) ?? "";
}

const ready = (service: ServiceProcess) =>
  until("the ready line", () => service.stdout().includes("Stamp Intake is ready"), 60_000);

const entry = (name: string, changes: Readonly<Record<string, unknown>> = {}) => ({
  name,
  blobEndpoint: storage.endpoints.blob,
  resourceId: resourceManager.idOf(name),
  ...changes,
});
const accounts = (...entries: readonly object[]) => ({ BUNDLE_ACCOUNTS: JSON.stringify(entries) });
const blobsOf = (name: string, domain: string) => ({ blobEndpoint: `https://${name}.blob.${domain}` });

describe("[invariant 3] the service does not start on an account that keeps deleted data", () => {
  test("as Resource Manager says", async () => {
    resourceManager.change("bundles2", { blobs: { isVersioningEnabled: true } });
    const line = await refusalOf({
      ...accounts(entry("bundles1"), entry("bundles2")),
      RESOURCE_MANAGER_ENDPOINT: resourceManager.endpoint,
    });
    expect(line).toMatch(/BUNDLE_ACCOUNTS: account bundles2: versioning is on, .*; turn it off$/);
  });

  test("as the account itself says, where there is no Resource Manager", async () => {
    const blobs = BlobServiceClient.fromConnectionString(storage.connectionString);
    const before = await blobs.getProperties();
    await blobs.setProperties({ ...before, deleteRetentionPolicy: { enabled: true, days: 7 } });
    expect(await refusalOf({})).toMatch(
      /StateStorage: account devstoreaccount1: soft delete of blobs is on, .*; turn it off$/,
    );
    await blobs.setProperties({ ...before, deleteRetentionPolicy: { enabled: false } });
    await ready(await begin({}));
  });

  test("and starts where nobody can say, saying so", async () => {
    // Nobody listens there: no process is given a port below 1,024 by chance.
    const nobodys = { RESOURCE_MANAGER_ENDPOINT: "https://127.0.0.1:2" };
    const service = await begin({ ...accounts(entry("bundles1")), ...nobodys });
    await ready(service);
    expect(service.stderr()).toMatch(/"event":"accounts.unchecked".*"account":"bundles1"/);
  });
});

describe("nor with settings that", () => {
  const public1 = blobsOf("bundles1", "core.windows.net");
  const vault = "https://vault.vault.azure.cn/keys/papers";

  test.each<[string, () => Record<string, string>, RegExp]>([
    [
      "are missing",
      () => ({ TOKEN_AUDIENCE: " " }),
      /TOKEN_AUDIENCE: is needed\. Audience that those tokens must name/,
    ],
    [
      "contradict each other",
      () => ({ SIGNING_KEY_ID: vault, SIGNING_KEY_FILE: "signing.json" }),
      /SIGNING_KEY_ID and SIGNING_KEY_FILE: set one of them/,
    ],
    [
      "are of two clouds, by accounts",
      () => accounts(entry("bundles1", public1), entry("bundles2", blobsOf("bundles2", "core.chinacloudapi.cn"))),
      /BUNDLE_ACCOUNTS: is of AzureChinaCloud, but BUNDLE_ACCOUNTS is of AzureCloud; name addresses of one cloud/,
    ],
    [
      "are of two clouds, by the vault",
      () => ({ ...accounts(entry("bundles1", public1)), SIGNING_KEY_ID: vault }),
      /SIGNING_KEY_ID: is of AzureChinaCloud, but BUNDLE_ACCOUNTS is of AzureCloud/,
    ],
    [
      "are of two clouds, by Resource Manager",
      () => ({
        ...accounts(entry("bundles1", public1)),
        RESOURCE_MANAGER_ENDPOINT: "https://management.usgovcloudapi.net",
      }),
      /RESOURCE_MANAGER_ENDPOINT: is of AzureUSGovernment, but BUNDLE_ACCOUNTS is of AzureCloud/,
    ],
    [
      "leave no account for new bundles",
      () => accounts(entry("bundles1", { draining: true })),
      /BUNDLE_ACCOUNTS: every entry is draining; leave at least one/,
    ],
    [
      "give an account another's resource id",
      () => accounts(entry("bundles1", { resourceId: resourceManager.idOf("bundles2") })),
      /BUNDLE_ACCOUNTS: the resourceId of bundles1 is another account's/,
    ],
    [
      "name a Resource Manager that is no address",
      () => ({ RESOURCE_MANAGER_ENDPOINT: "management" }),
      /RESOURCE_MANAGER_ENDPOINT: /,
    ],
  ])("%s", async (_, environment, words) => {
    expect(await refusalOf(environment())).toMatch(words);
  });
});
