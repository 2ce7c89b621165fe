import { describe, expect, it } from "vitest";
import type { Deployment } from "../../../infra/facts/deployment.ts";
import { facts } from "../../../infra/facts.ts";
import { lifecycleRule, roleOn, soundDeployment, without, withValue } from "./soundDeployment.ts";

const account = "Microsoft.Storage/storageAccounts";
const app = "Microsoft.Web/sites";

const setting = (name: string, value: string | undefined) =>
  withValue(`${app}/config`, "app/appsettings", `properties.${name}`, value);
const blobService = (path: string, value: unknown) =>
  withValue(`${account}/blobServices`, "bundles1/default", `properties.${path}`, value);
const rules = (...value: readonly unknown[]) =>
  withValue(`${account}/managementPolicies`, "bundles1/default", "properties.policy.rules", value);
const landing = lifecycleRule("landing", 7, { prefixMatch: ["landing-"] });
const lent = lifecycleRule("lent", 2, { prefixMatch: ["lent-"] });
const everything = lifecycleRule("everything", 83);
const keptVersions = {
  ...everything,
  definition: {
    ...everything.definition,
    actions: { ...everything.definition.actions, version: { delete: { daysAfterCreationGreaterThan: 365 } } },
  },
};

/** Every way to break a fact that somebody might come upon, with what the check then says. */
const breaks: Readonly<Record<string, readonly (readonly [how: string, broken: Deployment, says: RegExp])[]>> = {
  "no account takes a shared key": [
    [
      "keys on",
      withValue(account, "state1", "properties.allowSharedKeyAccess", true),
      /^state1: .*allowSharedKeyAccess/,
    ],
    ["left to the default", withValue(account, "host1", "properties.allowSharedKeyAccess", undefined), /^host1: /],
    ["no account", soundDeployment.filter((one) => one.type !== account), /there is no/],
  ],
  "every account speaks HTTPS only, TLS 1.2 at least": [
    ["HTTP", withValue(account, "bundles1", "properties.supportsHttpsTrafficOnly", false), /supportsHttpsTrafficOnly/],
    ["TLS 1.0", withValue(account, "bundles1", "properties.minimumTlsVersion", "TLS1_0"), /minimumTlsVersion/],
  ],
  "no account shows a blob to the public, or copies to another tenant": [
    ["public blobs", withValue(account, "bundles1", "properties.allowBlobPublicAccess", true), /allowBlobPublicAccess/],
    ["replication", withValue(account, "host1", "properties.allowCrossTenantReplication", true), /CrossTenant/],
  ],
  "no account has a far copy": [
    ["geo-redundant", withValue(account, "bundles1", "sku.name", "Standard_GRS"), /sku\.name/],
  ],
  "a delete is a delete: no soft delete, versions, change feed or restore in any account": [
    ["soft delete", blobService("deleteRetentionPolicy", { enabled: true, days: 7 }), /deleteRetentionPolicy\.enabled/],
    ["container soft delete", blobService("containerDeleteRetentionPolicy", { enabled: true, days: 7 }), /container/],
    ["soft delete left out", blobService("deleteRetentionPolicy", undefined), /deleteRetentionPolicy/],
    ["versions", blobService("isVersioningEnabled", true), /isVersioningEnabled/],
    ["change feed", blobService("changeFeed", { enabled: true }), /changeFeed/],
    ["restore", blobService("restorePolicy", { enabled: true, days: 6 }), /restorePolicy/],
    ["not said at all", without(`${account}/blobServices`, "bundles1/default"), /has no blobServices\/default/],
  ],
  "the verification queue and its poison queue are there": [
    ["no queue", without(`${account}/queueServices/queues`, "state1/default/verify"), /no queue verify$/],
    ["no poison queue", without(`${account}/queueServices/queues`, "state1/default/verify-poison"), /verify-poison/],
    [
      "elsewhere",
      setting("StateStorage__queueServiceUri", "https://host1.queue.storage.example"),
      /host1: has no queue/,
    ],
    ["nowhere", setting("StateStorage__queueServiceUri", "https://other.queue.storage.example"), /names no account/],
  ],
  "everything in an account of bundles is deleted 83 days after it came to be": [
    ["a day late", rules(lifecycleRule("everything", 84), landing, lent), /bundles1: no rule deletes/],
    ["some containers only", rules(lifecycleRule("some", 83, { prefixMatch: ["bundles-"] }), landing, lent), /no rule/],
    ["block blobs only", rules(lifecycleRule("some", 83, { blobTypes: ["blockBlob"] }), landing, lent), /no rule/],
    ["versions kept", rules(keptVersions, landing, lent), /no rule/],
    ["switched off", rules({ ...everything, enabled: false }, landing, lent), /lifecycle policy: /],
    ["no policy", without(`${account}/managementPolicies`, "bundles1/default"), /has no lifecycle policy/],
    [
      "tagged blobs only",
      rules(lifecycleRule("some", 83, { blobIndexMatch: [] }), landing, lent),
      /lifecycle policy: /,
    ],
    ["no account of bundles", setting("BUNDLE_ACCOUNTS", "[]"), /names no account/],
  ],
  "no rule deletes a bundle before the service may": [
    [
      "by its container",
      rules(everything, lifecycleRule("early", 30, { prefixMatch: ["bundles-"] })),
      /rule early .* 30 days/,
    ],
    ["by half its name", rules(everything, lifecycleRule("early", 30, { prefixMatch: ["bun"] })), /rule early/],
    ["by a day", rules(everything, lifecycleRule("early", 30, { prefixMatch: ["bundles-202612"] })), /rule early/],
    ["with everything", rules(lifecycleRule("everything", 82)), /after 82 days/],
  ],
  "what is left in landing and lent containers goes within days, and not while it is needed": [
    ["landing kept", rules(everything, lent), /landing-/],
    ["lent kept", rules(everything, landing), /lent-/],
    [
      "while a copy may start",
      rules(everything, lent, lifecycleRule("l", 4, { prefixMatch: ["landing-"] })),
      /landing-/,
    ],
    ["after a month", rules(everything, landing, lifecycleRule("l", 30, { prefixMatch: ["lent-"] })), /lent-/],
  ],
  "the plan is Flex Consumption": [
    ["another plan", withValue("Microsoft.Web/serverfarms", "plan", "sku.name", "Y1"), /plan: sku\.name/],
  ],
  "the app runs Node 24": [
    ["Node 22", withValue(app, "app", "properties.functionAppConfig.runtime.version", "22"), /runtime\.version/],
    ["no runtime", withValue(app, "app", "properties.functionAppConfig", undefined), /functionAppConfig/],
  ],
  "the app speaks HTTPS only, TLS 1.2 at least": [
    ["HTTP", withValue(app, "app", "properties.httpsOnly", false), /httpsOnly/],
    ["TLS 1.0", withValue(app, "app", "properties.siteConfig.minTlsVersion", "1.0"), /minTlsVersion/],
  ],
  "no password publishes code: ftp": [
    ["allowed", withValue(`${app}/basicPublishingCredentialsPolicies`, "app/ftp", "properties.allow", true), /allow/],
    ["not said", without(`${app}/basicPublishingCredentialsPolicies`, "app/ftp"), /has no basicPublishing/],
  ],
  "no password publishes code: scm": [
    ["allowed", withValue(`${app}/basicPublishingCredentialsPolicies`, "app/scm", "properties.allow", true), /allow/],
  ],
  "the service starts with the settings it is given": [
    ["one missing", setting("TOKEN_ISSUER", undefined), /TOKEN_ISSUER/],
    ["no origin", setting("PUBLIC_ORIGIN", "https://intake.example/"), /PUBLIC_ORIGIN/],
    ["retention too long", setting("PURGE_AFTER_DAYS", "83"), /PURGE_AFTER_DAYS/],
    ["a clock that moves", setting("CLOCK_OFFSET_DAYS", "1"), /CLOCK_OFFSET_DAYS/],
  ],
  "every setting is one that the service or the platform knows": [
    ["a slip of the pen", setting("PURGE_AFTER_DAY", "10"), /^PURGE_AFTER_DAY: /],
    ["of another plan", setting("WEBSITE_RUN_FROM_PACKAGE", "1"), /^WEBSITE_RUN_FROM_PACKAGE: /],
  ],
  "every setting that the service reads in Azure can be given": [
    ["one left out", setting("ERASE_DELAY_HOURS", undefined), /^ERASE_DELAY_HOURS: add it/],
  ],
  "the platform finds its storage and telemetry, and signs in as the identity": [
    [
      "no storage",
      setting("AzureWebJobsStorage__blobServiceUri", undefined),
      /AzureWebJobsStorage__blobServiceUri: is not set/,
    ],
    ["no identity", setting("StateStorage__clientId", undefined), /^StateStorage__clientId: /],
    ["another credential", setting("StateStorage__credential", undefined), /^StateStorage__credential: /],
  ],
  "no setting of a local run is set": [
    ["a local run", setting("STAMP_INTAKE_LOCAL", "1"), /^STAMP_INTAKE_LOCAL: /],
    ["a key in a file", setting("SIGNING_KEY_FILE", "key.json"), /^SIGNING_KEY_FILE: /],
  ],
  "no credential is anywhere in the deployment": [
    [
      "fetched keys",
      setting("AzureWebJobsStorage", "[format('AccountKey={0}', listKeys('host1').keys[0])]"),
      /appsettings/,
    ],
    ["fetched under another name", setting("KEY", "[listAdminKeys('x').key]"), /appsettings/],
    ["a URL with a signature", setting("PACKAGE", "https://host1.blob.storage.example/p?sv=1&sig=abc"), /appsettings/],
    ["a connection string", setting("StateStorage", "AccountName=state1;AccountKey=abc"), /appsettings/],
  ],
  "the signing key that the app is told of is the one deployed": [
    ["another vault", setting("SIGNING_KEY_ID", "https://vault2.vault.example/keys/receipts"), /vault2/],
    ["another key", setting("SIGNING_KEY_ID", "https://vault1.vault.example/keys/other"), /other/],
  ],
  "roles are those that roles.ts lists, where it lists them": [
    [
      "one too many",
      [...soundDeployment, roleOn(`${account}/state1`, "17d1049b-9a84-46fb-8f53-869881c3d3ab")],
      /17d1049b.* on .*state1: deployed, not in roles\.ts/,
    ],
    [
      "on the whole group",
      [...soundDeployment, roleOn("", "ba92f5b4-2d11-453d-a403-e96b0029c9fe")],
      /Blob Data Contributor on .*: deployed, not/,
    ],
    [
      "one missing",
      without("Microsoft.Authorization/roleAssignments", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
      /Blob Data Contributor on .*bundles1: in roles\.ts, not deployed/,
    ],
    [
      "nothing to hold it",
      without("Microsoft.Insights/components", "telemetry"),
      /Publisher on telemetry: in roles\.ts/,
    ],
  ],
  "every role goes to one identity": [
    ["a second one", [...soundDeployment, roleOn(`${account}/state1`, "role", "somebody")], /2 principals/],
    [
      "a person",
      withValue(
        "Microsoft.Authorization/roleAssignments",
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "properties.principalType",
        "User",
      ),
      /no service/,
    ],
  ],
  "the vault takes roles only, and what it holds cannot be destroyed at once": [
    [
      "access policies",
      withValue("Microsoft.KeyVault/vaults", "vault1", "properties.enableRbacAuthorization", false),
      /Rbac/,
    ],
    [
      "no purge protection",
      withValue("Microsoft.KeyVault/vaults", "vault1", "properties.enablePurgeProtection", undefined),
      /Purge/,
    ],
  ],
  "the signing key is EC P-256, signs only, and never leaves the vault": [
    [
      "another curve",
      withValue("Microsoft.KeyVault/vaults/keys", "vault1/receipts", "properties.curveName", "P-384"),
      /curveName/,
    ],
    [
      "encrypts",
      withValue("Microsoft.KeyVault/vaults/keys", "vault1/receipts", "properties.keyOps", ["sign", "decrypt"]),
      /keyOps/,
    ],
    [
      "exportable",
      withValue("Microsoft.KeyVault/vaults/keys", "vault1/receipts", "properties.attributes.exportable", true),
      /export/,
    ],
  ],
  "no key writes telemetry": [
    [
      "keys on",
      withValue("Microsoft.Insights/components", "telemetry", "properties.DisableLocalAuth", false),
      /DisableLocalAuth/,
    ],
  ],
  "no key reads logs": [
    [
      "keys on",
      withValue("Microsoft.OperationalInsights/workspaces", "logs", "properties.features", {}),
      /disableLocalAuth/,
    ],
  ],
};

const problemsOf = (name: string, deployment: Deployment): readonly string[] =>
  facts.filter((fact) => fact.name === name).flatMap((fact) => fact.problems(deployment));

describe("the facts about the infrastructure", () => {
  it.each(facts)("hold for a sound deployment: $name", ({ problems }) => {
    expect(problems(soundDeployment)).toEqual([]);
  });

  it("are each shown to fail here, under their own names", () => {
    expect(Object.keys(breaks)).toEqual(facts.map(({ name }) => name));
  });

  describe.each(Object.entries(breaks))("%s", (name, cases) => {
    it.each(cases)("fails with %s", (_how, broken, says) => {
      expect(problemsOf(name, broken)).toEqual(expect.arrayContaining([expect.stringMatching(says)]));
    });
  });
});
