import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { configurationPage } from "../../docs/configuration.ts";
import { ConfigurationError, readConfig, readRole } from "../../shared/config.ts";
import { localSettings, settings } from "../../shared/settings.ts";

const local = {
  PUBLIC_ORIGIN: "http://127.0.0.1:7071",
  StateStorage: "UseDevelopmentStorage=true",
  SIGNING_KEY_FILE: "signing.json",
  TOKEN_ISSUER: "https://login.example.com/tenant/v2.0",
  TOKEN_AUDIENCE: "api://stamp-intake",
  TOKEN_TENANT_ID: "5F0C1D0E-6B64-4F0A-9C57-2B1F9F7F3C11",
  TOKEN_JWKS_URL: "https://login.example.com/keys",
};
const group = "/subscriptions/5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c13/resourceGroups/bundles";
const resourceId = (account: string) => `${group}/providers/Microsoft.Storage/storageAccounts/${account}`;
const first = {
  name: "bundles1",
  blobEndpoint: "https://bundles1.blob.core.windows.net",
  resourceId: resourceId("bundles1"),
};
const { StateStorage: _storage, SIGNING_KEY_FILE: _file, ...common } = local;
const inAzure = {
  ...common,
  PUBLIC_ORIGIN: "https://intake.example.com",
  APP_ROLE: "intake",
  OTHER_APP_ORIGIN: "https://access.example.com",
  StateStorage__tableServiceUri: "https://state.table.core.windows.net",
  StateStorage__queueServiceUri: "https://state.queue.core.windows.net",
  StateStorage__credential: "managedidentity",
  StateStorage__clientId: "5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c12",
  BUNDLE_ACCOUNTS: JSON.stringify([first]),
  RESOURCE_MANAGER_ENDPOINT: "https://management.azure.com/",
  SIGNING_KEY_ID: "https://vault.vault.azure.net/keys/papers",
};

function complaint(...given: Parameters<typeof readConfig>): string {
  try {
    readConfig(...given);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  return "none";
}

describe("the settings of a local run", () => {
  it("are few, and the others have their defaults", () => {
    expect(readConfig(local)).toMatchObject({
      publicOrigin: "http://127.0.0.1:7071",
      state: { kind: "connectionString", connectionString: "UseDevelopmentStorage=true" },
      bundleAccounts: undefined,
      signingKey: { kind: "file", path: "signing.json" },
      token: {
        issuer: local.TOKEN_ISSUER,
        audience: local.TOKEN_AUDIENCE,
        tenantId: local.TOKEN_TENANT_ID.toLowerCase(),
        jwksUrl: local.TOKEN_JWKS_URL,
        scope: "access_as_user",
        trustedClients: {},
      },
      purgeAfterDays: 80,
      eraseDelayHours: 24,
      purgeAfterCaseCloseDays: undefined,
      maxBundleBytes: 64 * 1024 ** 3,
      clockOffsetDays: 0,
    });
  });

  it("that are empty or only spaces are not set", () => {
    expect(readConfig({ ...local, PURGE_AFTER_DAYS: "", ERASE_DELAY_HOURS: "  " })).toEqual(readConfig(local));
    expect(complaint({ ...local, TOKEN_AUDIENCE: " " })).toContain("TOKEN_AUDIENCE");
  });

  it("come from the embedded host in code: its key file, its issuer's keys, and a clock that may be moved", () => {
    const { SIGNING_KEY_FILE, TOKEN_JWKS_URL: _keys, ...given } = local;
    const settings = { SIGNING_KEY_FILE, TOKEN_JWKS_URL: "http://127.0.0.1:4000/keys" };
    expect(readConfig(given, { clockOffsetDays: 86, settings })).toMatchObject({
      clockOffsetDays: 86,
      signingKey: { kind: "file", path: SIGNING_KEY_FILE },
      token: { jwksUrl: settings.TOKEN_JWKS_URL },
    });
  });

  it("under Azure's own host come from the environment: a key file, and an issuer on this machine", () => {
    const development = { ...local, TOKEN_JWKS_URL: "http://localhost:4000/keys", WEBSITE_HOSTNAME: "localhost:7071" };
    expect(readConfig(development)).toMatchObject({ clockOffsetDays: 0, signingKey: { kind: "file" } });
  });
});

describe("what only one machine may have", () => {
  const { StateStorage__tableServiceUri: _tables, StateStorage__queueServiceUri: _queues, ...accountsOnly } = inAzure;
  const connection = { StateStorage: "UseDevelopmentStorage=true" };
  const keyInVault = { SIGNING_KEY_FILE: "", SIGNING_KEY_ID: inAzure.SIGNING_KEY_ID };
  const withKeyFile = { SIGNING_KEY_ID: "", SIGNING_KEY_FILE: "signing.json" };
  const httpKeys = { TOKEN_ISSUER: "http://login.example.com/v2.0", TOKEN_JWKS_URL: "http://login.example.com/keys" };
  const shapes: readonly [shape: string, Readonly<Record<string, string>>][] = [
    ["an identity's storage", inAzure],
    ["a resource id", { ...accountsOnly, ...connection }],
    ["the platform's settings", { ...local, ...keyInVault, WEBSITE_SITE_NAME: "func-intake" }],
  ];

  describe.each(shapes)("does not start beside %s:", (_shape, shape) => {
    it.each([
      ["STAMP_INTAKE_LOCAL", { STAMP_INTAKE_LOCAL: "1" }],
      ["CLOCK_OFFSET_DAYS", { CLOCK_OFFSET_DAYS: "86" }],
      ["SIGNING_KEY_FILE", withKeyFile],
      ["TOKEN_JWKS_URL", httpKeys],
      ["TOKEN_JWKS_URL", { TOKEN_JWKS_URL: "http://127.0.0.1:4000/keys" }],
      ["AzureWebJobsStateStorage", { AzureWebJobsStateStorage: "UseDevelopmentStorage=true" }],
      ["AzureWebJobsStateStorage__queueServiceUri", { AzureWebJobsStateStorage__queueServiceUri: "https://q.example" }],
      ["ConnectionStrings__StateStorage", { ConnectionStrings__StateStorage: "UseDevelopmentStorage=true" }],
      ["CUSTOMCONNSTR_StateStorage", { CUSTOMCONNSTR_StateStorage: "UseDevelopmentStorage=true" }],
    ])("%s", (name, given) => {
      expect(complaint({ ...shape, ...given })).toMatch(new RegExp(`(^|; )${name}: `));
    });

    it("CLOCK_OFFSET_DAYS, also where the embedded host says it", () => {
      const moved = { clockOffsetDays: 86, settings: {} };
      expect(complaint(shape, moved)).toMatch(/CLOCK_OFFSET_DAYS: is for a run on one machine/);
    });
  });

  it("does not start in a developer's environment either, where the embedded host alone may have it", () => {
    expect(complaint({ ...local, STAMP_INTAKE_LOCAL: "1" })).toMatch(/^STAMP_INTAKE_LOCAL: only npm start/);
    expect(complaint({ ...local, CLOCK_OFFSET_DAYS: "86" })).toMatch(/^CLOCK_OFFSET_DAYS: only npm start/);
  });

  it("includes a connection string: it does not start beside the platform's settings", () => {
    expect(complaint({ ...local, ...keyInVault, WEBSITE_INSTANCE_ID: "1" })).toMatch(
      /^StateStorage: .* WEBSITE_INSTANCE_ID says/,
    );
    expect(complaint({ ...local, WEBSITE_HOSTNAME: "func.azurewebsites.net" })).toMatch(/WEBSITE_HOSTNAME says/);
  });
});

describe("the issuer's keys", () => {
  it.each([
    ["of another host", "https://login.example.org/keys"],
    ["of another port", "https://login.example.com:8443/keys"],
    ["of a host that begins alike", "https://login.example.com.example.org/keys"],
  ])("%s are refused, in Azure and on one machine", (_what, url) => {
    const expected = /^TOKEN_JWKS_URL: must be on the host of TOKEN_ISSUER, which is login.example.com/;
    expect(complaint({ ...inAzure, TOKEN_JWKS_URL: url })).toMatch(expected);
    expect(complaint({ ...local, TOKEN_JWKS_URL: url })).toMatch(expected);
  });

  it("may not come over a wire without encryption, also on one machine", () => {
    const http = { TOKEN_ISSUER: "http://login.example.com/v2.0", TOKEN_JWKS_URL: "http://login.example.com/keys" };
    expect(complaint({ ...local, ...http })).toMatch(/^TOKEN_JWKS_URL: must begin with https/);
  });
});

describe("a collector", () => {
  it("on another machine is spoken to with encryption only", () => {
    const at = (url: string) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    expect(complaint({ ...inAzure, ...at("http://collector.example") })).toMatch(
      /^OTEL_EXPORTER_OTLP_ENDPOINT: must begin with https/,
    );
    expect(complaint({ ...inAzure, ...at("https://collector.example") })).toBe("none");
    expect(complaint({ ...inAzure, ...at("http://127.0.0.1:4318") })).toBe("none");
  });
});

describe("the settings in Azure", () => {
  it("name endpoints, accounts and a key instead", () => {
    expect(readConfig(inAzure)).toMatchObject({
      state: {
        kind: "identity",
        tableEndpoint: inAzure.StateStorage__tableServiceUri,
        queueEndpoint: inAzure.StateStorage__queueServiceUri,
        clientId: inAzure.StateStorage__clientId,
      },
      bundleAccounts: [{ name: "bundles1", blobEndpoint: "https://bundles1.blob.core.windows.net" }],
      signingKey: { kind: "keyVault", keyId: inAzure.SIGNING_KEY_ID },
    });
  });
});

describe("the role", () => {
  it("is all on one machine that names none, and there is no other app", () => {
    expect([readRole(local), readConfig(local).otherApp]).toEqual(["all", undefined]);
    expect(readConfig({ ...local, APP_ROLE: "all", OTHER_APP_ORIGIN: "http://127.0.0.1:1" }).otherApp).toBeUndefined();
  });

  it.each([
    ["intake", "access"],
    ["access", "intake"],
  ])("%s says what is registered, and where the other app, %s, is", (role, name) => {
    const given = { ...inAzure, APP_ROLE: role, OTHER_APP_ORIGIN: "https://other.example.com" };
    expect(readRole(given)).toBe(role);
    expect(readConfig(given).otherApp).toEqual({ name, origin: "https://other.example.com" });
  });

  it("is needed in Azure, and so is the other app's origin where there is one", () => {
    expect(complaint({ ...inAzure, APP_ROLE: undefined })).toMatch(/^APP_ROLE: is needed/);
    expect(complaint({ ...inAzure, APP_ROLE: "both" })).toMatch(/^APP_ROLE: /);
    expect(complaint({ ...inAzure, OTHER_APP_ORIGIN: undefined })).toMatch(/^OTHER_APP_ORIGIN: is needed/);
    expect(complaint({ ...inAzure, OTHER_APP_ORIGIN: "http://access.example.com" })).toMatch(
      /^OTHER_APP_ORIGIN: must begin with https/,
    );
    expect(complaint({ ...inAzure, APP_ROLE: "all", OTHER_APP_ORIGIN: undefined })).toBe("none");
    expect(complaint({ ...local, APP_ROLE: "access" })).toMatch(/^OTHER_APP_ORIGIN: is needed/);
  });
});

describe("the limits on rates", () => {
  it("hold unless they are turned off", () => {
    expect(readConfig(local).limits).toEqual({
      openUploads: 20,
      bundlesPerDay: 60,
      bytesPerDay: 256 * 1024 ** 3,
      sameFaultQuietMinutes: 240,
      serviceBytesPerDay: 64 * 1024 ** 4,
    });
    expect(readConfig({ ...local, RATE_LIMITS: "off", STAMP_MAX_OPEN_UPLOADS: "3" }).limits).toBeUndefined();
    expect(readConfig({ ...local, STAMP_MAX_OPEN_UPLOADS: "3" }).limits).toMatchObject({ openUploads: 3 });
  });

  it("ask for no version unless they are told to", () => {
    expect(readConfig(local).oldestVersions).toEqual({ stamp: undefined, client: undefined });
    const told = { MIN_STAMP_VERSION: "1.2301.0.0", MIN_CLIENT_VERSION: "0.1.0" };
    expect(readConfig({ ...local, ...told }).oldestVersions).toEqual({ stamp: "1.2301.0.0", client: "0.1.0" });
  });
});

describe("PURGE_AFTER_DAYS", () => {
  it.each(["1", "80", "82", " 82 "])("%s starts", (value) => {
    expect(readConfig({ ...local, PURGE_AFTER_DAYS: value }).purgeAfterDays).toBe(Number(value));
  });

  it.each(["83", "86", "90", "0", "-1", "x", "80.5", "1e3", "NaN", "Infinity", "80 days"])(
    "%s does not, and says so: nothing may outlive day 90",
    (value) => {
      expect(complaint({ ...local, PURGE_AFTER_DAYS: value })).toMatch(/^PURGE_AFTER_DAYS: /);
    },
  );
});

describe("a setting that is wrong is named", () => {
  it.each([
    ["PUBLIC_ORIGIN", undefined],
    ["PUBLIC_ORIGIN", "intake.example.com"],
    ["PUBLIC_ORIGIN", "https://intake.example.com/"],
    ["PUBLIC_ORIGIN", "https://intake.example.com/api"],
    ["PUBLIC_ORIGIN", "HTTPS://intake.example.com"],
    ["BUNDLE_ACCOUNTS", "bundles1"],
    ["BUNDLE_ACCOUNTS", "[]"],
    ["BUNDLE_ACCOUNTS", '[{"name":"Bundles 1","blobEndpoint":"https://a.example"}]'],
    ["BUNDLE_ACCOUNTS", '[{"name":"bundles1"}]'],
    ["BUNDLE_ACCOUNTS", '[{"name":"bundles1","blobEndpoint":"https://a.example","geographies":[]}]'],
    ["BUNDLE_ACCOUNTS", '[{"name":"bundles1","blobEndpoint":"https://a.example","key":"secret"}]'],
    ["BUNDLE_ACCOUNTS", JSON.stringify([{ ...first, resourceId: "bundles1" }])],
    ["BUNDLE_ACCOUNTS", JSON.stringify([{ ...first, draining: "yes" }])],
    ["RESOURCE_MANAGER_ENDPOINT", "management"],
    ["SIGNING_KEY_ID", "papers"],
    ["TOKEN_ISSUER", undefined],
    ["TOKEN_ISSUER", "login"],
    ["TOKEN_AUDIENCE", undefined],
    ["TOKEN_TENANT_ID", undefined],
    ["TOKEN_TENANT_ID", "contoso"],
    ["TOKEN_JWKS_URL", undefined],
    ["TOKEN_JWKS_URL", "keys"],
    ["TOKEN_SCOPE", "api://ours/access_as_user"],
    ["TOKEN_SCOPE", "access_as_user openid"],
    ["TRUSTED_CLIENT_IDS", "portal"],
    ["TRUSTED_CLIENT_IDS", '{"Support.Engineer":[]}'],
    ["TRUSTED_CLIENT_IDS", '{"Support.Engineer":["portal"]}'],
    ["TRUSTED_CLIENT_IDS", '{"Support.Engineers":["5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c12"]}'],
    ["ERASE_DELAY_HOURS", "-1"],
    ["ERASE_DELAY_HOURS", "169"],
    ["ERASE_DELAY_HOURS", "soon"],
    ["PURGE_AFTER_CASE_CLOSE_DAYS", "-1"],
    ["PURGE_AFTER_CASE_CLOSE_DAYS", "x"],
    ["MAX_BUNDLE_BYTES", "0"],
    ["MAX_BUNDLE_BYTES", "64 GB"],
    ["RATE_LIMITS", "yes"],
    ["STAMP_MAX_OPEN_UPLOADS", "0"],
    ["STAMP_MAX_BUNDLES_PER_DAY", "many"],
    ["STAMP_MAX_BYTES_PER_DAY", "1 GB"],
    ["SAME_FAULT_QUIET_MINUTES", "1441"],
    ["SERVICE_MAX_BYTES_PER_DAY", "-1"],
    ["MIN_STAMP_VERSION", "2301"],
    ["MIN_CLIENT_VERSION", "1"],
    ["CLOCK_OFFSET_DAYS", "tomorrow"],
    ["STAMP_INTAKE_LOCAL", "yes"],
    ["StateStorage__credential", "password"],
    ["StateStorage__tableServiceUri", "state"],
    ["StateStorage__queueServiceUri", undefined],
    ["StateStorage__tableServiceUri", undefined],
  ])("%s=%s", (name, value) => {
    const message = complaint({ ...inAzure, [name]: value });
    expect(message).toContain(`${name}`);
    expect(message).not.toBe("none");
  });

  it("with what it is for, so that its reader knows what to do", () => {
    expect(complaint({ ...local, OTEL_EXPORTER_OTLP_ENDPOINT: "collector" })).toContain(
      "such as http://127.0.0.1:4318",
    );
  });

  it("with all the others that are", () => {
    const message = complaint({ ...local, PUBLIC_ORIGIN: "x", PURGE_AFTER_DAYS: "83", TOKEN_ISSUER: undefined });
    for (const name of ["PUBLIC_ORIGIN: ", "PURGE_AFTER_DAYS: ", "TOKEN_ISSUER: "]) expect(message).toContain(name);
  });

  it.each([
    ["both kinds of storage", { ...inAzure, StateStorage: "UseDevelopmentStorage=true" }, "StateStorage: "],
    ["no storage", { ...local, StateStorage: undefined }, "StateStorage__tableServiceUri"],
    ["no accounts for bundles", { ...inAzure, BUNDLE_ACCOUNTS: undefined }, "BUNDLE_ACCOUNTS: "],
    ["both kinds of key", { ...inAzure, SIGNING_KEY_FILE: "signing.json" }, "SIGNING_KEY_ID and SIGNING_KEY_FILE"],
    ["no key", { ...local, SIGNING_KEY_FILE: undefined }, "SIGNING_KEY_ID: "],
  ])("%s", (_, environment, expected) => {
    expect(complaint(environment)).toContain(expected);
  });

  it.each([
    [
      "an account named twice",
      { BUNDLE_ACCOUNTS: JSON.stringify([first, { ...first, blobEndpoint: "https://b.example" }]) },
      /^BUNDLE_ACCOUNTS: names bundles1 twice/,
    ],
    [
      "no account for new bundles",
      { BUNDLE_ACCOUNTS: JSON.stringify([{ ...first, draining: true }]) },
      /^BUNDLE_ACCOUNTS: every entry is draining; leave at least one/,
    ],
    [
      "storage without encryption",
      { StateStorage__tableServiceUri: "http://state.table.core.windows.net" },
      /^StateStorage__tableServiceUri: must begin with https/,
    ],
    ["an origin without encryption", { PUBLIC_ORIGIN: "http://intake.example.com" }, /^PUBLIC_ORIGIN: must begin/],
    [
      "a queue of another cloud",
      { StateStorage__queueServiceUri: "https://state.queue.core.usgovcloudapi.net" },
      /^StateStorage__queueServiceUri: is of AzureUSGovernment, but StateStorage__tableServiceUri is of AzureCloud/,
    ],
    [
      "bundles in another cloud",
      {
        BUNDLE_ACCOUNTS: JSON.stringify([{ ...first, blobEndpoint: "https://bundles1.blob.core.chinacloudapi.cn" }]),
      },
      /^BUNDLE_ACCOUNTS: is of AzureChinaCloud, but StateStorage__tableServiceUri is of AzureCloud/,
    ],
    [
      "an account that Resource Manager does not know by any id",
      { BUNDLE_ACCOUNTS: JSON.stringify([{ ...first, resourceId: undefined }]) },
      /^BUNDLE_ACCOUNTS: the entry of bundles1 needs its resourceId/,
    ],
    [
      "another account's resource id",
      { BUNDLE_ACCOUNTS: JSON.stringify([{ ...first, resourceId: resourceId("bundles2") }]) },
      /^BUNDLE_ACCOUNTS: the resourceId of bundles1 is another account's/,
    ],
    ["no Resource Manager", { RESOURCE_MANAGER_ENDPOINT: undefined }, /^RESOURCE_MANAGER_ENDPOINT: is needed/],
    [
      "the Resource Manager of another cloud",
      { RESOURCE_MANAGER_ENDPOINT: "https://management.chinacloudapi.cn" },
      /^RESOURCE_MANAGER_ENDPOINT: is of AzureChinaCloud/,
    ],
    [
      "a vault of another cloud",
      { SIGNING_KEY_ID: "https://vault.vault.azure.cn/keys/papers" },
      /^SIGNING_KEY_ID: is of/,
    ],
    [
      "tokens of another cloud",
      { TOKEN_ISSUER: `https://login.microsoftonline.us/${common.TOKEN_TENANT_ID}/v2.0` },
      /^TOKEN_ISSUER: is of AzureUSGovernment/,
    ],
    [
      "another tenant's issuer",
      { TOKEN_ISSUER: "https://login.microsoftonline.com/9f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c11/v2.0" },
      /^TOKEN_ISSUER: is not the issuer of TOKEN_TENANT_ID/,
    ],
  ])("%s contradicts the rest", (_, given, expected) => {
    expect(complaint({ ...inAzure, ...given })).toMatch(expected);
  });

  it.each([
    ["AzureCloud", "core.windows.net", "vault.azure.net", "login.microsoftonline.com", "azure.com"],
    [
      "AzureUSGovernment",
      "core.usgovcloudapi.net",
      "vault.usgovcloudapi.net",
      "login.microsoftonline.us",
      "usgovcloudapi.net",
    ],
    [
      "AzureChinaCloud",
      "core.chinacloudapi.cn",
      "vault.azure.cn",
      "login.partner.microsoftonline.cn",
      "chinacloudapi.cn",
    ],
  ])("not when all are of %s", (_, storage, vault, login, management) => {
    const one = {
      ...inAzure,
      StateStorage__tableServiceUri: `https://state.table.${storage}`,
      StateStorage__queueServiceUri: `https://state.queue.${storage}`,
      BUNDLE_ACCOUNTS: JSON.stringify([{ ...first, blobEndpoint: `https://bundles1.blob.${storage}` }]),
      RESOURCE_MANAGER_ENDPOINT: `https://management.${management}`,
      SIGNING_KEY_ID: `https://vault.${vault}/keys/papers`,
      TOKEN_ISSUER: `https://${login}/${common.TOKEN_TENANT_ID.toLowerCase()}/v2.0`,
      TOKEN_JWKS_URL: `https://${login}/${common.TOKEN_TENANT_ID}/discovery/v2.0/keys`,
    };
    expect(complaint(one)).toBe("none");
  });

  it("without its value, which may be a secret", () => {
    const connection = "AccountName=a;AccountKey=verysecret";
    const environment = {
      ...inAzure,
      StateStorage: connection,
      SIGNING_KEY_ID: "verysecret",
      BUNDLE_ACCOUNTS: "verysecret",
    };
    expect(complaint(environment)).not.toContain("verysecret");
    expect(complaint({ ...inAzure, StateStorage: connection })).not.toContain("verysecret");
  });
});

it("every setting is described", () => {
  const { properties = {} } = z.toJSONSchema(settings, { io: "input" });
  expect(Object.keys(properties)).toEqual(Object.keys(settings.shape));
  for (const [name, schema] of Object.entries(properties)) expect(schema, name).toHaveProperty("description");
});

it("the settings of one machine are marked as such", () => {
  expect(localSettings).toEqual(["StateStorage", "SIGNING_KEY_FILE"]);
});

it("docs/configuration.md is made from these settings: npm run docs writes it", () => {
  expect(readFileSync(join(import.meta.dirname, "../../docs/configuration.md"), "utf8")).toBe(configurationPage());
});
