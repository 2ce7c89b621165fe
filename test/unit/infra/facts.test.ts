import { describe, expect, it } from "vitest";
import { completenessFacts } from "../../../infra/facts/app.ts";
import type { Deployment } from "../../../infra/facts/deployment.ts";
import { facts } from "../../../infra/facts.ts";
import { localSettings, settings } from "../../../shared/settings.ts";
import {
  committed,
  lifecycleRule,
  snapshots,
  soundDeployment,
  theOne,
  without,
  withoutAll,
  withRole,
  withSetting,
  withValue,
} from "./soundDeployment.ts";

const account = "Microsoft.Storage/storageAccounts";
const blobServices = `${account}/blobServices`;
const app = "Microsoft.Web/sites";
const queues = `${account}/queueServices/queues`;
const roleAssignment = "Microsoft.Authorization/roleAssignments";
const policy = "Microsoft.Authorization/policyDefinitions";
const subscription = "Microsoft.EventGrid/systemTopics/eventSubscriptions";
const alert = "Microsoft.Insights/scheduledQueryRules";

const blobService = (path: string, value: unknown) => withValue(blobServices, "bundles1", `properties.${path}`, value);
const rules = (...value: readonly unknown[]) =>
  withValue(`${account}/managementPolicies`, "bundles1", "properties.policy.rules", value);
const landing = lifecycleRule("landing", 7, { prefixMatch: ["landing-"] });
const lent = lifecycleRule("lent", 2, { prefixMatch: ["lent-"] });
const box = lifecycleRule("box", 7, { prefixMatch: ["box-"] });
const everything = lifecycleRule("everything", 83);
const keptVersions = {
  ...everything,
  definition: {
    ...everything.definition,
    actions: { ...everything.definition.actions, version: { delete: { daysAfterCreationGreaterThan: 365 } } },
  },
};
/** The role assignment of one role on one resource; both apps may have it, and the first is intake's. */
const assignment = (on: string, roleId: string) =>
  soundDeployment.find(
    (one) => one.type === roleAssignment && one.id.includes(on) && JSON.stringify(one).includes(roleId),
  )?.name ?? "nothing";
const blobContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
const endpoint = (name: string) => without("Microsoft.Network/privateEndpoints", name);

/** Every way to break a fact that somebody might come upon, with what the check then says. */
const breaks: Readonly<Record<string, readonly (readonly [how: string, broken: Deployment, says: RegExp])[]>> = {
  "no account takes a shared key": [
    ["keys on", withValue(account, "state", "properties.allowSharedKeyAccess", true), /^state\w+: .*allowSharedKey/],
    ["left to the default", withValue(account, "hosti", "properties.allowSharedKeyAccess", undefined), /^hosti/],
    ["no account", withoutAll(account), /there is no/],
  ],
  "every account speaks HTTPS only, TLS 1.2 at least": [
    ["HTTP", withValue(account, "bundles1", "properties.supportsHttpsTrafficOnly", false), /supportsHttpsTrafficOnly/],
    ["TLS 1.0", withValue(account, "bundles1", "properties.minimumTlsVersion", "TLS1_0"), /minimumTlsVersion/],
  ],
  "no account shows a blob to the public, or copies to another tenant": [
    ["public blobs", withValue(account, "bundles1", "properties.allowBlobPublicAccess", true), /allowBlobPublicAccess/],
    ["replication", withValue(account, "hosta", "properties.allowCrossTenantReplication", true), /CrossTenant/],
  ],
  "only accounts of bundles face the internet": [
    ["state without a firewall", withValue(account, "state", "properties.networkAcls", undefined), /^state/],
    [
      "an address let in",
      withValue(account, "state", "properties.networkAcls.ipRules", [{ value: "203.0.113.7" }]),
      /^state/,
    ],
    ["an open host account", withValue(account, "hosti", "properties.publicNetworkAccess", "Enabled"), /^hosti/],
    ["open records", withValue(account, "records", "properties.publicNetworkAccess", "Enabled"), /^records/],
    [
      "an open vault",
      withValue("Microsoft.KeyVault/vaults", "kv-", "properties", { publicNetworkAccess: "Enabled" }),
      /^kv-/,
    ],
  ],
  "what does not face the internet has its private endpoints": [
    ["tables", endpoint("pe-state-table"), /^state\w+: has no private endpoint for table/],
    ["queues", endpoint("pe-state-queue"), /for queue/],
    ["a host account", endpoint("pe-host-access"), /^hosta\w+: has no private endpoint for blob/],
    ["records", endpoint("pe-records"), /^records\w+: /],
    ["the vault", endpoint("pe-vault"), /for vault/],
  ],
  "bundles have no far copy": [
    ["geo-redundant", withValue(account, "bundles1", "sku.name", "Standard_GRS"), /sku\.name/],
  ],
  "rows and records outlive a region": [
    ["rows here only", withValue(account, "state", "sku.name", "Standard_ZRS"), /^state\w+: sku/],
    ["records here only", withValue(account, "records", "sku.name", "Standard_LRS"), /^records\w+: sku/],
  ],
  "each task has an account of its own": [
    [
      "one host account for both",
      withSetting("intake", "AzureWebJobsStorage__blobServiceUri", `https://${theOne(account, "hosta").name}.blob.x/`),
      /hosta\w+: has two tasks/,
    ],
    ["none for records", withoutAll(`${blobServices}/containers/immutabilityPolicies`), /has no account/],
  ],
  "a delete is a delete: no soft delete, versions, change feed or restore in any account": [
    ["soft delete", blobService("deleteRetentionPolicy", { enabled: true, days: 7 }), /deleteRetentionPolicy\.enabled/],
    ["container soft delete", blobService("containerDeleteRetentionPolicy", { enabled: true, days: 7 }), /container/],
    ["soft delete left out", blobService("deleteRetentionPolicy", undefined), /deleteRetentionPolicy/],
    ["versions", blobService("isVersioningEnabled", true), /isVersioningEnabled/],
    ["change feed", blobService("changeFeed", { enabled: true }), /changeFeed/],
    ["restore", blobService("restorePolicy", { enabled: true, days: 6 }), /restorePolicy/],
    ["not said at all", without(blobServices, "bundles1"), /has no blobServices\/default/],
  ],
  "the queues and their poison queues are there": [
    ["no queue", without(queues, `${theOne(account, "state").name}/default/verify-poison`), /no queue verify-poison$/],
    ["elsewhere", withoutAll(queues).map((one) => one), /has no queue arrivals/],
    [
      "nowhere",
      soundDeployment.filter(({ type, name }) => type !== account || !name.startsWith("state")),
      /names no account/,
    ],
  ],
  "checkpoints and the exported ledger are in containers that nobody can rewrite for years": [
    [
      "no policy",
      without(`${blobServices}/containers/immutabilityPolicies`, `${theOne(account, "records").name}/default/ledger`),
      /ledger: can be rewritten/,
    ],
    [
      "elsewhere",
      withSetting("access", "CHECKPOINT_CONTAINER_URL", `https://${theOne(account, "state").name}.blob.x/checkpoints`),
      /checkpoints: no app is told/,
    ],
    [
      "a month",
      withValue(
        `${blobServices}/containers/immutabilityPolicies`,
        `${theOne(account, "records").name}/default/checkpoints`,
        "properties.immutabilityPeriodSinceCreationInDays",
        30,
      ),
      /checkpoints: can be rewritten/,
    ],
    [
      "no container",
      without(`${blobServices}/containers`, `${theOne(account, "records").name}/default/ledger`),
      /there is no container ledger/,
    ],
  ],
  "everything in an account of bundles is deleted 83 days after it came to be": [
    ["a day late", rules(lifecycleRule("everything", 84), landing, lent, box), /bundles1\w+: no rule deletes/],
    ["some containers only", rules(lifecycleRule("some", 83, { prefixMatch: ["bundles-"] }), landing, lent), /no rule/],
    ["block blobs only", rules(lifecycleRule("some", 83, { blobTypes: ["blockBlob"] }), landing, lent), /no rule/],
    ["versions kept", rules(keptVersions, landing, lent), /no rule/],
    ["switched off", rules({ ...everything, enabled: false }, landing, lent), /lifecycle policy: /],
    ["no policy", without(`${account}/managementPolicies`, "bundles1"), /has no lifecycle policy/],
    [
      "tagged blobs only",
      rules(lifecycleRule("some", 83, { blobIndexMatch: [] }), landing, lent),
      /lifecycle policy: /,
    ],
    [
      "no account of bundles",
      soundDeployment.filter(({ type, name }) => type !== account || !name.startsWith("bundles1")),
      /names no account/,
    ],
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
  "what is left in landing, lent and box containers goes within days, and not while it is needed": [
    ["landing kept", rules(everything, lent, box), /landing-/],
    ["lent kept", rules(everything, landing, box), /lent-/],
    ["boxes kept", rules(everything, landing, lent), /box-/],
    [
      "while a copy may start",
      rules(everything, lent, lifecycleRule("l", 4, { prefixMatch: ["landing-"] })),
      /landing-/,
    ],
    ["while a box is open", rules(everything, landing, lent, lifecycleRule("b", 2, { prefixMatch: ["box-"] })), /box-/],
    ["after a month", rules(everything, landing, lifecycleRule("l", 30, { prefixMatch: ["lent-"] })), /lent-/],
  ],
  "a policy refuses whatever would make an account of bundles keep deleted data": [
    ["only audited", withValue(policy, "a-delete", "properties.policyRule.then.effect", "audit"), /is not denied/],
    [
      "replication let through",
      withValue(policy, "a-delete", "properties.policyRule.if.anyOf.0.equals", "something else"),
      /is not denied/,
    ],
    ["not assigned", withoutAll("Microsoft.Authorization/policyAssignments"), /isVersioningEnabled is not denied/],
    [
      "not enforced",
      withValue("Microsoft.Authorization/policyAssignments", "a-delete", "properties.enforcementMode", "DoNotEnforce"),
      /deleteRetentionPolicy\.enabled is not denied/,
    ],
  ],
  "the plans are Flex Consumption": [
    ["another plan", withValue("Microsoft.Web/serverfarms", "plan-intake", "sku.name", "Y1"), /plan-\S+: sku\.name/],
  ],
  "both apps run Node 24": [
    [
      "Node 22",
      withValue(app, "func-access", "properties.functionAppConfig.runtime.version", "22"),
      /runtime\.version/,
    ],
    ["no runtime", withValue(app, "func-intake", "properties.functionAppConfig", undefined), /functionAppConfig/],
  ],
  "both apps speak HTTPS only, TLS 1.2 at least, and call out from the network": [
    ["HTTP", withValue(app, "func-intake", "properties.httpsOnly", false), /httpsOnly/],
    ["TLS 1.0", withValue(app, "func-access", "properties.siteConfig.minTlsVersion", "1.0"), /minTlsVersion/],
    ["no network", withValue(app, "func-access", "properties.virtualNetworkSubnetId", undefined), /SubnetId/],
  ],
  "no password publishes code: ftp": [
    [
      "allowed",
      withValue(
        `${app}/basicPublishingCredentialsPolicies`,
        `${theOne(app, "func-intake").name}/ftp`,
        "properties.allow",
        true,
      ),
      /allow/,
    ],
    [
      "not said",
      without(`${app}/basicPublishingCredentialsPolicies`, `${theOne(app, "func-access").name}/ftp`),
      /has no basicPublishing/,
    ],
  ],
  "no password publishes code: scm": [
    [
      "allowed",
      withValue(
        `${app}/basicPublishingCredentialsPolicies`,
        `${theOne(app, "func-intake").name}/scm`,
        "properties.allow",
        true,
      ),
      /allow/,
    ],
  ],
  "each app acts as an identity of its own": [
    [
      "one for both",
      withValue(app, "func-access", "identity", theOne(app, "func-intake").identity),
      /1 identities for 2 apps/,
    ],
    ["none", withValue(app, "func-access", "identity", { type: "SystemAssigned" }), /1 identities for 2 apps/],
  ],
  "each app registers its own part: its role says so, and no switch of the platform's does": [
    ["intake is everything", withSetting("intake", "APP_ROLE", "all"), /^intake: APP_ROLE: is all/],
    ["access has no role", withSetting("access", "APP_ROLE", undefined), /^access: APP_ROLE: is not set/],
    ["nobody purges", withSetting("access", "AzureWebJobs.purgeDue.Disabled", "true"), /^access: .*purgeDue.*for$/],
    ["an app is missing", without(app, "func-access"), /^access: is not there/],
  ],
  "each app names the other's origin for what that one serves": [
    ["its own", withSetting("intake", "OTHER_APP_ORIGIN", "https://intake.example"), /^intake: OTHER_APP_ORIGIN: is h/],
    ["none", withSetting("access", "OTHER_APP_ORIGIN", undefined), /^access: OTHER_APP_ORIGIN: is ,/],
  ],
  "the service starts with the settings it is given": [
    ["one missing", withSetting("intake", "TOKEN_ISSUER", undefined), /^intake: TOKEN_ISSUER/],
    ["no origin", withSetting("access", "PUBLIC_ORIGIN", "https://intake.example/"), /^access: PUBLIC_ORIGIN/],
    ["retention too long", withSetting("access", "PURGE_AFTER_DAYS", "83"), /PURGE_AFTER_DAYS/],
    ["a clock that moves", withSetting("intake", "CLOCK_OFFSET_DAYS", "1"), /CLOCK_OFFSET_DAYS/],
  ],
  "every setting is one that the service or the platform knows": [
    ["a slip of the pen", withSetting("intake", "PURGE_AFTER_DAY", "10"), /^intake: PURGE_AFTER_DAY: /],
    ["of another plan", withSetting("access", "WEBSITE_RUN_FROM_PACKAGE", "1"), /WEBSITE_RUN_FROM_PACKAGE: /],
  ],
  "the platform finds its storage and telemetry, and signs in as the identity": [
    [
      "no storage",
      withSetting("intake", "AzureWebJobsStorage__blobServiceUri", undefined),
      /blobServiceUri: is not set/,
    ],
    ["no identity", withSetting("access", "StateStorage__clientId", undefined), /StateStorage__clientId: /],
    ["another credential", withSetting("access", "StateStorage__credential", undefined), /StateStorage__credential: /],
  ],
  "no setting of a local run is set": [
    ["a local run", withSetting("intake", "STAMP_INTAKE_LOCAL", "1"), /STAMP_INTAKE_LOCAL: /],
    ["a key in a file", withSetting("access", "SIGNING_KEY_FILE", "key.json"), /SIGNING_KEY_FILE: /],
  ],
  "no credential is anywhere in the deployment": [
    [
      "fetched keys",
      withSetting("intake", "A", "[format('AccountKey={0}', listKeys('host1').keys[0])]"),
      /appsettings/,
    ],
    ["fetched under another name", withSetting("access", "KEY", "[listAdminKeys('x').key]"), /appsettings/],
    ["a URL with a signature", withSetting("intake", "A", "https://host1.blob.x/p?sv=1&sig=abc"), /appsettings/],
    ["a connection string", withSetting("intake", "A", "AccountName=state1;AccountKey=abc"), /appsettings/],
  ],
  "the signing key that the apps are told of is the one deployed": [
    ["another vault", withSetting("intake", "SIGNING_KEY_ID", "https://vault2.vault.example/keys/receipts"), /vault2/],
    ["another key", withSetting("access", "SIGNING_KEY_ID", "https://vault1.vault.example/keys/other"), /other/],
  ],
  "every account of bundles tells the queue arrivals what came into a drop box, and nothing else": [
    ["no topic", withoutAll("Microsoft.EventGrid/systemTopics"), /has no topic/],
    ["no subscription", withoutAll(subscription), /needs one subscription/],
    [
      "bundles too",
      withValue(subscription, "evgt-", "properties.filter.subjectBeginsWith", "/blobServices/default/containers/"),
      /needs one/,
    ],
    [
      "by a user-assigned identity",
      withValue(subscription, "evgt-", "properties.deliveryWithResourceIdentity.identity.type", "UserAssigned"),
      /needs one/,
    ],
    [
      "somebody else's queue",
      withValue(
        subscription,
        "evgt-",
        "properties.deliveryWithResourceIdentity.destination.properties.resourceId",
        "/subscriptions/other",
      ),
      /needs one/,
    ],
  ],
  "roles are those that roles.ts lists: whose, where, under which condition": [
    [
      "one too many",
      withRole(theOne(account, "state"), "17d1049b-9a84-46fb-8f53-869881c3d3ab", "format('intakeIdentity-{0}'"),
      /intake: 17d1049b.* on .*state\w+: deployed, not in roles\.ts/,
    ],
    [
      "bundles without a condition",
      withRole(theOne(account, "bundles1"), blobContributor, "format('intakeIdentity-{0}'"),
      /intake: Storage Blob Data Contributor on .*bundles1\w+: deployed, not/,
    ],
    [
      "to somebody",
      withRole(theOne(account, "bundles1"), blobContributor, "format('stranger-{0}'"),
      /somebody else: .*deployed, not/,
    ],
    [
      "intake may list bundles",
      withValue(
        roleAssignment,
        assignment("/storageAccounts/bundles1", blobContributor),
        "properties.condition",
        "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringStartsWith ''",
      ),
      /intake: Storage Blob Data Contributor on .*: in roles\.ts, not deployed/,
    ],
    [
      "one missing",
      without(roleAssignment, assignment("/keys/receipts", "12338af0-0e69-4776-bea7-57ae8d297424")),
      /intake: Key Vault Crypto User on .*: in roles\.ts, not deployed/,
    ],
    [
      "a person",
      withValue(
        roleAssignment,
        assignment("/storageAccounts/bundles1", blobContributor),
        "properties.principalType",
        "User",
      ),
      /no role of a service/,
    ],
    ["nothing to hold it", withoutAll("Microsoft.Insights/components"), /Publisher on telemetry: in roles\.ts/],
  ],
  "the vault takes roles only, and what it holds cannot be destroyed at once": [
    [
      "access policies",
      withValue("Microsoft.KeyVault/vaults", "kv-", "properties.enableRbacAuthorization", false),
      /Rbac/,
    ],
    [
      "no purge protection",
      withValue("Microsoft.KeyVault/vaults", "kv-", "properties.enablePurgeProtection", undefined),
      /Purge/,
    ],
  ],
  "the signing key is EC P-256, signs only, and never leaves the vault": [
    ["another curve", withValue("Microsoft.KeyVault/vaults/keys", "kv-", "properties.curveName", "P-384"), /curveName/],
    [
      "encrypts",
      withValue("Microsoft.KeyVault/vaults/keys", "kv-", "properties.keyOps", ["sign", "decrypt"]),
      /keyOps/,
    ],
    [
      "exportable",
      withValue("Microsoft.KeyVault/vaults/keys", "kv-", "properties.attributes.exportable", true),
      /export/,
    ],
  ],
  "no key writes telemetry": [
    [
      "keys on",
      withValue("Microsoft.Insights/components", "appi-", "properties.DisableLocalAuth", false),
      /DisableLocalAuth/,
    ],
  ],
  "no key reads logs": [
    [
      "keys on",
      withValue("Microsoft.OperationalInsights/workspaces", "log-", "properties.features", {}),
      /disableLocalAuth/,
    ],
  ],
  "every alert of infra/alerts.json is deployed, tells somebody, and names its section of the runbook": [
    ["one missing", without(alert, "purge-late"), /^purge-late: is not deployed/],
    ["switched off", withValue(alert, "server-errors", "properties.enabled", false), /^server-errors: /],
    ["tells nobody", withValue(alert, "purge-failing", "properties.actions.actionGroups", []), /^purge-failing: /],
    [
      "no section",
      withValue(alert, "checkpoint-missing", "properties.actions.customProperties.runbook", "docs/runbook.md"),
      /names another section/,
    ],
    ["one of nobody's list", withValue(alert, "timers-silent", "name", "mine"), /^mine: is in no list/],
  ],
  "each app has the name by which alerts and queries ask for it": [
    ["another name", withValue(app, "func-access", "name", "people-1"), /^access: people-1: does not begin/],
  ],
  "alerts reach a person": [
    [
      "no address",
      withValue("Microsoft.Insights/actionGroups", "on-call", "properties.emailReceivers", []),
      /emailReceivers/,
    ],
  ],
  "a budget is told of before it is spent": [
    ["none", withoutAll("Microsoft.Consumption/budgets"), /there is no/],
    ["told to nobody", withValue("Microsoft.Consumption/budgets", "budget", "properties.notifications", {}), /nobody/],
  ],
  "reads and deletes of bundles, deletes of rows, uses of the key and the apps' logs are on record": [
    ["nothing", withoutAll("Microsoft.Insights/diagnosticSettings"), /^bundles1\w+: StorageRead is not logged/],
    ["nothing of the key", withoutAll("Microsoft.Insights/diagnosticSettings"), /^kv-.*AuditEvent/],
  ],
};

const problemsOf = (name: string, deployment: Deployment): readonly string[] =>
  facts.filter((fact) => fact.name === name).flatMap((fact) => fact.problems(deployment));

describe("the facts about the infrastructure", () => {
  describe.each(snapshots)("hold for the committed snapshot %s", (name) => {
    it.each(facts)("$name", ({ problems }) => {
      expect(problems(committed(name)), "or the snapshot is old: npm run infra:check -- --write").toEqual([]);
    });
  });

  it("are each shown to fail here, under their own names", () => {
    expect(Object.keys(breaks).sort()).toEqual(facts.map(({ name }) => name).sort());
  });

  describe.each(Object.entries(breaks))("%s", (name, cases) => {
    it.each(cases)("fails with %s", (_how, broken, says) => {
      expect(problemsOf(name, broken)).toEqual(expect.arrayContaining([expect.stringMatching(says)]));
    });
  });
});

describe("what holds only where everything is said", () => {
  const [everySetting] = completenessFacts;
  const optional = Object.keys(settings.shape).filter((name) => !localSettings.includes(name));
  const complete = soundDeployment.map((one) =>
    one.type === "Microsoft.Web/sites/config"
      ? { ...one, properties: Object.fromEntries(optional.map((name) => [name, "1"])) }
      : one,
  );

  it("every setting that the service reads in Azure can be given", () => {
    expect(completenessFacts).toHaveLength(1);
    expect(everySetting?.problems(complete)).toEqual([]);
    expect(everySetting?.problems(soundDeployment)).toContainEqual(
      expect.stringMatching(/^intake: ERASE_DELAY_HOURS: add it to the overrides/),
    );
  });
});
