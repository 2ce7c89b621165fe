import { z } from "zod";
import { type AppName, appNames } from "../../shared/apps.ts";
import { settings } from "../../shared/settings.ts";

/** A deployment as the compiler predicts it (`bicep snapshot`): every resource, with its values worked out where they can be. */

const resource = z.looseObject({ id: z.string(), type: z.string(), name: z.string() });
export type Resource = z.infer<typeof resource>;
export type Deployment = readonly Resource[];

const snapshot = z.looseObject({ predictedResources: z.array(resource).min(1) });

/** Parses what `bicep snapshot` wrote. Throws a `ZodError` where it is something else. */
export const parseSnapshot = (text: string): Deployment => snapshot.parse(JSON.parse(text)).predictedResources;

export const types = {
  account: "Microsoft.Storage/storageAccounts",
  container: "Microsoft.Storage/storageAccounts/blobServices/containers",
  vault: "Microsoft.KeyVault/vaults",
  key: "Microsoft.KeyVault/vaults/keys",
  workspace: "Microsoft.OperationalInsights/workspaces",
  telemetry: "Microsoft.Insights/components",
  plan: "Microsoft.Web/serverfarms",
  app: "Microsoft.Web/sites",
  roleAssignment: "Microsoft.Authorization/roleAssignments",
  policy: "Microsoft.Authorization/policyDefinitions",
  policyAssignment: "Microsoft.Authorization/policyAssignments",
  privateEndpoint: "Microsoft.Network/privateEndpoints",
  topic: "Microsoft.EventGrid/systemTopics",
  subscription: "Microsoft.EventGrid/systemTopics/eventSubscriptions",
  diagnostics: "Microsoft.Insights/diagnosticSettings",
  alert: "Microsoft.Insights/scheduledQueryRules",
  actionGroup: "Microsoft.Insights/actionGroups",
  budget: "Microsoft.Consumption/budgets",
} as const;

export const ofType = (deployment: Deployment, type: string): readonly Resource[] =>
  deployment.filter((one) => one.type === type);

/** The resources that belong to another one, such as the containers of an account. */
export const childrenOf = (deployment: Deployment, parent: Resource, type: string): readonly Resource[] =>
  ofType(deployment, type).filter((one) => one.id.startsWith(`${parent.id}/`));

/** Whether a value is an expression that only a deployment can work out, such as an identity's client id. */
export const isUnresolved = (value: string): boolean => /^\[\w+\(/.test(value);

/** The part of a resource's id that names its group. */
export const groupOf = ({ id }: Resource): string => /^.*\/resourceGroups\/[^/]+/.exec(id)?.[0] ?? "";

type AppSettings = Readonly<Record<string, string>>;
export type DeployedApp = { readonly name: AppName; readonly site: Resource; readonly settings: AppSettings };

const taggedSite = z.looseObject({ tags: z.looseObject({ "azd-service-name": z.enum(appNames) }) });
const appSettingsResource = z.looseObject({ properties: z.record(z.string(), z.string()) });

/** The function apps, each with its settings. One without a tag or settings is none. */
export const appsOf = (deployment: Deployment): readonly DeployedApp[] =>
  ofType(deployment, types.app).flatMap((site) => {
    const name = taggedSite.safeParse(site).data?.tags["azd-service-name"];
    const config = deployment.find((one) => one.id === `${site.id}/config/appsettings`);
    if (name === undefined || config === undefined) return [];
    return [{ name, site, settings: appSettingsResource.parse(config).properties }];
  });

/** The accounts that the apps' settings give each task to. A task whose settings name no account of the deployment has none. */
export const accountsOf = {
  intakeHost: (deployment: Deployment) => hostOf(deployment, "intake"),
  accessHost: (deployment: Deployment) => hostOf(deployment, "access"),
  tables: (deployment: Deployment) => accountsSet(deployment, "StateStorage__tableServiceUri"),
  queues: (deployment: Deployment) => accountsSet(deployment, "StateStorage__queueServiceUri"),
  bundles: (deployment: Deployment) => {
    const endpoints = appsOf(deployment).flatMap(
      (app) => settings.shape.BUNDLE_ACCOUNTS.safeParse(app.settings.BUNDLE_ACCOUNTS).data ?? [],
    );
    return accountsAt(
      deployment,
      endpoints.map(({ blobEndpoint }) => blobEndpoint),
    );
  },
  /** Those with a container that nobody may rewrite. */
  records: (deployment: Deployment) =>
    ofType(deployment, types.account).filter((account) =>
      deployment.some(({ id }) => id.startsWith(`${account.id}/`) && id.endsWith("/immutabilityPolicies/default")),
    ),
} as const satisfies Record<string, (deployment: Deployment) => readonly Resource[]>;

const hostOf = (deployment: Deployment, app: AppName): readonly Resource[] =>
  accountsAt(
    deployment,
    appsOf(deployment)
      .filter(({ name }) => name === app)
      .map((each) => each.settings.AzureWebJobsStorage__blobServiceUri),
  );

const accountsSet = (deployment: Deployment, setting: string): readonly Resource[] =>
  accountsAt(
    deployment,
    appsOf(deployment).map((app) => app.settings[setting]),
  );

function accountsAt(deployment: Deployment, endpoints: readonly (string | undefined)[]): readonly Resource[] {
  const names = endpoints.map((endpoint) =>
    endpoint !== undefined && URL.canParse(endpoint) ? new URL(endpoint).hostname.split(".")[0] : undefined,
  );
  return ofType(deployment, types.account).filter((account) => names.includes(account.name));
}
