import { z } from "zod";
import { ConfigurationError, localSettings, readConfig, settings } from "../../shared/config.ts";
import { appSettings, isUnresolved, ofType, types } from "./deployment.ts";
import { every, everyHas, type Fact } from "./fact.ts";

/** What is true of the function app and its settings. */

/** Settings that the Functions host reads, beside those of `shared/config.ts`. */
const platformSettings: readonly string[] = [
  "AzureWebJobsStorage__blobServiceUri",
  "AzureWebJobsStorage__credential",
  "AzureWebJobsStorage__clientId",
  "APPLICATIONINSIGHTS_CONNECTION_STRING",
  "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
];

/** Any sign of a credential in a template: a call that fetches one, or a connection string that holds one. */
const credential = /list\w*(Keys|Sas|Secrets)\b\w*\(|AccountKey=|SharedAccessSignature=|SharedAccessKey=|[?&]sig=/i;

const noPassword = z.looseObject({ properties: z.looseObject({ allow: z.literal(false) }) });

export const appFacts: readonly Fact[] = [
  {
    name: "the plan is Flex Consumption",
    problems: every(types.plan, z.looseObject({ sku: z.looseObject({ name: z.literal("FC1") }) })),
  },
  {
    name: "the app runs Node 24",
    problems: every(
      types.app,
      z.looseObject({
        properties: z.looseObject({
          functionAppConfig: z.looseObject({
            runtime: z.strictObject({ name: z.literal("node"), version: z.literal("24") }),
          }),
        }),
      }),
    ),
  },
  {
    name: "the app speaks HTTPS only, TLS 1.2 at least",
    problems: every(
      types.app,
      z.looseObject({
        properties: z.looseObject({
          httpsOnly: z.literal(true),
          siteConfig: z.looseObject({ minTlsVersion: z.enum(["1.2", "1.3"]) }),
        }),
      }),
    ),
  },
  {
    name: "no password publishes code: ftp",
    problems: everyHas(types.app, "basicPublishingCredentialsPolicies/ftp", noPassword),
  },
  {
    name: "no password publishes code: scm",
    problems: everyHas(types.app, "basicPublishingCredentialsPolicies/scm", noPassword),
  },
  {
    name: "the service starts with the settings it is given",
    problems: (deployment) => {
      try {
        readConfig(withSampleValues(appSettings(deployment)));
        return [];
      } catch (error) {
        if (error instanceof ConfigurationError) return [error.message];
        throw error;
      }
    },
  },
  {
    name: "every setting is one that the service or the platform knows",
    problems: (deployment) => {
      const known = [...Object.keys(settings.shape), ...platformSettings];
      return Object.keys(appSettings(deployment))
        .filter((name) => !known.includes(name))
        .map((name) => `${name}: neither shared/config.ts nor the platform knows it`);
    },
  },
  {
    name: "every setting that the service reads in Azure can be given",
    problems: (deployment) =>
      Object.keys(settings.shape)
        .filter((name) => !localSettings.includes(name) && !(name in appSettings(deployment)))
        .map((name) => `${name}: add it to the overrides of main.bicep, and a value to check.bicepparam`),
  },
  {
    name: "the platform finds its storage and telemetry, and signs in as the identity",
    problems: (deployment) => {
      const given = appSettings(deployment);
      const missing = platformSettings.filter((name) => given[name] === undefined).map((name) => `${name}: is not set`);
      const other = ["AzureWebJobsStorage__credential", "StateStorage__credential"]
        .filter((name) => given[name] !== "managedidentity")
        .map((name) => `${name}: is not managedidentity`);
      const anonymous = ["AzureWebJobsStorage__clientId", "StateStorage__clientId"]
        .filter((name) => given[name] === undefined)
        .map((name) => `${name}: is not set, so no user-assigned identity is chosen`);
      return [...new Set([...missing, ...other, ...anonymous])];
    },
  },
  {
    name: "no setting of a local run is set",
    problems: (deployment) =>
      localSettings.filter((name) => name in appSettings(deployment)).map((name) => `${name}: is set`),
  },
  {
    name: "no credential is anywhere in the deployment",
    problems: (deployment) =>
      deployment
        .filter((one) => credential.test(JSON.stringify(one)))
        .map((one) => `${one.type} ${one.name}: holds a credential`),
  },
  {
    name: "the signing key that the app is told of is the one deployed",
    problems: (deployment) => {
      const keyId = appSettings(deployment).SIGNING_KEY_ID ?? "";
      const isDeployed = ofType(deployment, types.key).some((key) => {
        const [vault, name] = key.name.split("/");
        return keyId.startsWith(`https://${vault}.`) && keyId.endsWith(`/keys/${name}`);
      });
      return isDeployed ? [] : [`SIGNING_KEY_ID: ${keyId} is no key of this deployment`];
    },
  },
];

/** What only a deployment can work out (a client id, say) gets a value that its setting would take. */
const withSampleValues = (given: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      isUnresolved(value) ? "https://known-when-deployed.example" : value,
    ]),
  );
