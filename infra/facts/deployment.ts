import { z } from "zod";
import { settings } from "../../shared/config.ts";

/** A deployment as the compiler predicts it (`bicep snapshot`): every resource, with its values worked out where they can be. */

const resource = z.looseObject({ id: z.string(), type: z.string(), name: z.string() });
export type Resource = z.infer<typeof resource>;
export type Deployment = readonly Resource[];

const snapshot = z.looseObject({ predictedResources: z.array(resource).min(1) });

/** Parses what `bicep snapshot` wrote. Throws a `ZodError` where it is something else. */
export const parseSnapshot = (text: string): Deployment => snapshot.parse(JSON.parse(text)).predictedResources;

export const types = {
  account: "Microsoft.Storage/storageAccounts",
  queue: "Microsoft.Storage/storageAccounts/queueServices/queues",
  container: "Microsoft.Storage/storageAccounts/blobServices/containers",
  vault: "Microsoft.KeyVault/vaults",
  key: "Microsoft.KeyVault/vaults/keys",
  workspace: "Microsoft.OperationalInsights/workspaces",
  telemetry: "Microsoft.Insights/components",
  plan: "Microsoft.Web/serverfarms",
  app: "Microsoft.Web/sites",
  appConfig: "Microsoft.Web/sites/config",
  roleAssignment: "Microsoft.Authorization/roleAssignments",
} as const;

export const ofType = (deployment: Deployment, type: string): readonly Resource[] =>
  deployment.filter((one) => one.type === type);

/** Whether a value is an expression that only a deployment can work out, such as an identity's client id. */
export const isUnresolved = (value: string): boolean => /^\[\w+\(/.test(value);

const appSettingsResource = z.looseObject({ properties: z.record(z.string(), z.string()) });

/** The settings of the function app. */
export function appSettings(deployment: Deployment): Readonly<Record<string, string>> {
  const found = ofType(deployment, types.appConfig).find((one) => one.name.endsWith("/appsettings"));
  return found === undefined ? {} : appSettingsResource.parse(found).properties;
}

/** The accounts that the settings give each task to. A task whose setting names no account of the deployment has none. */
export const accountsOf = {
  host: (deployment: Deployment) => accountsAt(deployment, appSettings(deployment).AzureWebJobsStorage__blobServiceUri),
  tables: (deployment: Deployment) => accountsAt(deployment, appSettings(deployment).StateStorage__tableServiceUri),
  queues: (deployment: Deployment) => accountsAt(deployment, appSettings(deployment).StateStorage__queueServiceUri),
  bundles: (deployment: Deployment) => {
    const parsed = settings.shape.BUNDLE_ACCOUNTS.safeParse(appSettings(deployment).BUNDLE_ACCOUNTS);
    return (parsed.data ?? []).flatMap((account) => accountsAt(deployment, account.blobEndpoint));
  },
};

const accountsAt = (deployment: Deployment, endpoint: string | undefined): readonly Resource[] => {
  const name = endpoint !== undefined && URL.canParse(endpoint) ? new URL(endpoint).hostname.split(".")[0] : undefined;
  return ofType(deployment, types.account).filter((account) => account.name === name);
};
