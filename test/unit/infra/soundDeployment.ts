import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Deployment, parseSnapshot, type Resource } from "../../../infra/facts/deployment.ts";
import type { AppName } from "../../../infra/placement.ts";

/** The deployment that every fact holds for, as the compiler predicted it and as it is committed, and ways to break it. */

export const snapshots = ["development", "production", "manyAccounts"] as const;

export const committed = (name: (typeof snapshots)[number]): Deployment =>
  parseSnapshot(readFileSync(join(import.meta.dirname, `../../../infra/snapshots/${name}.snapshot.json`), "utf8"));

export const soundDeployment: Deployment = committed("production");

/** The one resource whose type is this and whose name begins so. */
export function theOne(type: string, begins: string): Resource {
  const found = soundDeployment.filter((one) => one.type === type && one.name.startsWith(begins));
  const [one, ...others] = found;
  if (one === undefined || others.length > 0) throw new Error(`${found.length} of ${type} ${begins}`);
  return one;
}

const changed = (which: Resource, change: (one: Resource) => Resource): Deployment =>
  soundDeployment.map((one) => (one === which ? change(one) : one));

/** The sound deployment with one value set (or, where `undefined`, taken out) in that one resource. */
export const withValue = (type: string, begins: string, path: string, value: unknown): Deployment =>
  changed(theOne(type, begins), (one) => ({ ...one, ...replaced(one, path.split("."), value) }));

/** The sound deployment with one setting of an app set or, where `undefined`, taken out. */
export const withSetting = (app: AppName, name: string, value: string | undefined): Deployment =>
  changed(theOne("Microsoft.Web/sites/config", `func-${app}-`), (one) => ({
    ...one,
    ...replaced(one, ["properties", name], value),
  }));

/** The sound deployment without that one resource. */
export const without = (type: string, begins: string): Deployment => {
  const which = theOne(type, begins);
  return soundDeployment.filter((one) => one !== which);
};

/** The sound deployment without any resource of a type. */
export const withoutAll = (type: string): Deployment => soundDeployment.filter((one) => one.type !== type);

/** The sound deployment and a role more, given to a holder on a resource. */
export const withRole = (scope: Resource, roleId: string, holder: string): Deployment => [
  ...soundDeployment,
  {
    id: `${scope.id}/providers/Microsoft.Authorization/roleAssignments/${roleId}`,
    type: "Microsoft.Authorization/roleAssignments",
    name: roleId,
    properties: {
      principalId: `[reference('${holder}').outputs.principalId.value]`,
      principalType: "ServicePrincipal",
      roleDefinitionId: `/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/${roleId}`,
    },
  },
];

export const lifecycleRule = (name: string, days: number, filters: Record<string, unknown> = {}) => {
  const deletion = { delete: { daysAfterCreationGreaterThan: days } };
  return {
    name,
    type: "Lifecycle",
    enabled: true,
    definition: {
      filters: { blobTypes: ["blockBlob", "appendBlob"], ...filters },
      actions: { baseBlob: deletion, snapshot: deletion, version: deletion },
    },
  };
};

<<<<<<< HEAD
const bundleAccount = (name: string): readonly Resource[] => [
  ...account(name),
  resource(`${storage}/managementPolicies`, `${name}/default`, {
    properties: {
      policy: {
        rules: [
          lifecycleRule("everything", 83),
          lifecycleRule("landing", 7, { prefixMatch: ["landing-"] }),
          lifecycleRule("lent", 2, { prefixMatch: ["lent-"] }),
        ],
      },
    },
  }),
];

export const roleOn = (
  scope: string,
  roleId: string,
  principalId = "[reference('identity').principalId]",
): Resource => ({
  id: `${group}/${scope}/providers/Microsoft.Authorization/roleAssignments/${roleId}`,
  type: "Microsoft.Authorization/roleAssignments",
  name: roleId,
  properties: {
    principalId,
    principalType: "ServicePrincipal",
    roleDefinitionId: `/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/${roleId}`,
  },
});

const password = (way: string) =>
  resource("Microsoft.Web/sites/basicPublishingCredentialsPolicies", `app/${way}`, { properties: { allow: false } });

const queue = (name: string) => resource(`${storage}/queueServices/queues`, `state1/default/${name}`, {});

export const soundDeployment: Deployment = [
  ...account("host1"),
  ...account("state1"),
  ...bundleAccount("bundles1"),
  queue("verify"),
  queue("verify-poison"),
  resource("Microsoft.KeyVault/vaults", "vault1", {
    properties: { enableRbacAuthorization: true, enableSoftDelete: true, enablePurgeProtection: true },
  }),
  resource("Microsoft.KeyVault/vaults/keys", "vault1/receipts", {
    properties: { kty: "EC", curveName: "P-256", keyOps: ["sign", "verify"], attributes: { exportable: false } },
  }),
  resource("Microsoft.OperationalInsights/workspaces", "logs", {
    properties: { features: { disableLocalAuth: true } },
  }),
  resource("Microsoft.Insights/components", "telemetry", { properties: { DisableLocalAuth: true } }),
  resource("Microsoft.Web/serverfarms", "plan", { sku: { name: "FC1" } }),
  resource("Microsoft.Web/sites", "app", {
    properties: {
      httpsOnly: true,
      siteConfig: { minTlsVersion: "1.2" },
      functionAppConfig: { runtime: { name: "node", version: "24" } },
    },
  }),
  password("ftp"),
  password("scm"),
  resource("Microsoft.Web/sites/config", "app/appsettings", {
    properties: {
      PUBLIC_ORIGIN: "[format('https://{0}', reference('app').defaultHostName)]",
      StateStorage__tableServiceUri: "https://state1.table.storage.example",
      StateStorage__queueServiceUri: "https://state1.queue.storage.example",
      StateStorage__credential: "managedidentity",
      StateStorage__clientId: "[reference('identity').clientId]",
      BUNDLE_ACCOUNTS: JSON.stringify([{ name: "bundles1", blobEndpoint: "https://bundles1.blob.storage.example" }]),
      SIGNING_KEY_ID: "https://vault1.vault.example/keys/receipts",
      TOKEN_ISSUER: "https://login.example/t/v2.0",
      TOKEN_AUDIENCE: "11111111-1111-4111-8111-111111111111",
      TOKEN_TENANT_ID: "22222222-2222-4222-8222-222222222222",
      TOKEN_JWKS_URL: "https://login.example/t/keys",
      PURGE_AFTER_DAYS: "80",
      ERASE_DELAY_HOURS: "24",
      PURGE_AFTER_CASE_CLOSE_DAYS: "30",
      MAX_BUNDLE_BYTES: "1000",
      METADATA_RETENTION_DAYS: "730",
      RATE_LIMITS: "on",
      STAMP_MAX_OPEN_UPLOADS: "20",
      STAMP_MAX_BUNDLES_PER_DAY: "60",
      STAMP_MAX_BYTES_PER_DAY: "1000",
      SAME_FAULT_QUIET_MINUTES: "240",
      SERVICE_MAX_BYTES_PER_DAY: "1000",
      MIN_STAMP_VERSION: "1.2008.0.0",
      MIN_CLIENT_VERSION: "0.1.0",
      AzureWebJobsStorage__blobServiceUri: "https://host1.blob.storage.example/",
      AzureWebJobsStorage__credential: "managedidentity",
      AzureWebJobsStorage__clientId: "[reference('identity').clientId]",
      APPLICATIONINSIGHTS_CONNECTION_STRING: "[reference('telemetry').ConnectionString]",
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING:
        "[format('Authorization=AAD;ClientId={0}', reference('identity').clientId)]",
    },
  }),
  roleOn(`${storage}/host1`, "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"),
  roleOn(`${storage}/state1`, "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"),
  roleOn(`${storage}/state1`, "974c5e8b-45b9-4653-ba55-5f855dd0fb88"),
  roleOn(`${storage}/bundles1`, "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
  roleOn("Microsoft.KeyVault/vaults/vault1/keys/receipts", "12338af0-0e69-4776-bea7-57ae8d297424"),
  roleOn("Microsoft.Insights/components/telemetry", "3913510d-42f4-4e42-8a64-420c390055eb"),
];

/** The sound deployment with one value set (or, where `undefined`, taken out) in the resource whose type and name are given. */
export function withValue(type: string, name: string, path: string, value: unknown): Deployment {
  if (!soundDeployment.some((one) => one.type === type && one.name === name)) throw new Error(`no ${type} ${name}`);
  return soundDeployment.map((one) =>
    one.type === type && one.name === name ? { ...one, ...replaced(one, path.split("."), value) } : one,
  );
}

/** The sound deployment without one resource. */
export const without = (type: string, name: string): Deployment => {
  const rest = soundDeployment.filter((one) => one.type !== type || one.name !== name);
  if (rest.length !== soundDeployment.length - 1) throw new Error(`not one ${type} ${name}`);
  return rest;
};

=======
>>>>>>> 07afc5d (Two apps of one package on a closed network: roles by container, records nobody rewrites, a policy against kept data, drop boxes announced, alerts with a runbook, committed snapshots; the threat model)
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function replaced(target: unknown, [first, ...rest]: readonly string[], value: unknown): Record<string, unknown> {
  const copy = isRecord(target) ? { ...target } : {};
  if (first === undefined) return copy;
  if (rest.length > 0) copy[first] = replaced(copy[first], rest, value);
  else if (value === undefined) delete copy[first];
  else copy[first] = value;
  return copy;
}
