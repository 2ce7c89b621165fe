import { z } from "zod";
import { ConfigurationError, readConfig } from "../../shared/config.ts";
import { embeddedHostOnly } from "../../shared/localRun.ts";
import { localSettings, settings } from "../../shared/settings.ts";
import { appsOf, type DeployedApp, isUnresolved, ofType, types } from "./deployment.ts";
import { every, everyApp, everyHas, type Fact } from "./fact.ts";

/** What is true of the function apps and their settings. */

/** Settings that the Functions host reads, beside those of `shared/settings.ts`. */
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
    name: "the plans are Flex Consumption",
    problems: every(types.plan, z.looseObject({ sku: z.looseObject({ name: z.literal("FC1") }) })),
  },
  {
    name: "both apps run Node 24",
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
    name: "both apps speak HTTPS only, TLS 1.2 at least, and call out from the network",
    problems: every(
      types.app,
      z.looseObject({
        properties: z.looseObject({
          httpsOnly: z.literal(true),
          virtualNetworkSubnetId: z.string().min(1),
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
    name: "each app acts as an identity of its own",
    problems: (deployment) => {
      const identities = ofType(deployment, types.app).flatMap((site) => identitiesOf(site));
      const distinct = new Set(identities);
      return distinct.size === ofType(deployment, types.app).length && distinct.size === identities.length
        ? []
        : [`${distinct.size} identities for ${ofType(deployment, types.app).length} apps`];
    },
  },
  {
    name: "each app registers its own part: its role says so, and no switch of the platform's does",
    problems: everyApp(({ name, settings: given }) => [
      ...(given.APP_ROLE === name ? [] : [`APP_ROLE: is ${given.APP_ROLE ?? "not set"}`]),
      ...Object.keys(given)
        .filter((setting) => /^AzureWebJobs\..+\.Disabled$/i.test(setting))
        .map((setting) => `${setting}: switches off what this app is for`),
    ]),
  },
  {
    name: "each app names the other's origin for what that one serves",
    problems: everyApp(({ name, settings: { OTHER_APP_ORIGIN: named = "" } }, deployment) => {
      const other = appsOf(deployment).find((app) => app.name !== name)?.settings.PUBLIC_ORIGIN ?? "";
      return named === other ? [] : [`OTHER_APP_ORIGIN: is ${named}, and the other app's PUBLIC_ORIGIN is ${other}`];
    }),
  },
  {
    name: "the service starts with the settings it is given",
    problems: everyApp(({ settings: given }) => {
      try {
        readConfig(withSampleValues(given));
        return [];
      } catch (error) {
        if (error instanceof ConfigurationError) return [error.message];
        throw error;
      }
    }),
  },
  {
    name: "every setting is one that the service or the platform knows",
    problems: everyApp(({ settings: given }) => {
      const known = [...Object.keys(settings.shape), ...platformSettings];
      return Object.keys(given)
        .filter((setting) => !known.includes(setting))
        .map((setting) => `${setting}: neither shared/settings.ts nor the platform knows it`);
    }),
  },
  {
    name: "the platform finds its storage and telemetry, and signs in as the identity",
    problems: everyApp(({ settings: given }) => {
      const needed = [...platformSettings, "StateStorage__clientId"];
      const missing = needed.filter((name) => given[name] === undefined).map((name) => `${name}: is not set`);
      const other = ["AzureWebJobsStorage__credential", "StateStorage__credential"]
        .filter((name) => given[name] !== "managedidentity")
        .map((name) => `${name}: is not managedidentity`);
      return [...missing, ...other];
    }),
  },
  {
    name: "no setting of a local run is set",
    problems: everyApp(({ settings: given }) =>
      [...localSettings, ...embeddedHostOnly].filter((name) => name in given).map((name) => `${name}: is set`),
    ),
  },
  {
    name: "no credential is anywhere in the deployment",
    problems: (deployment) =>
      deployment
        .filter((one) => credential.test(JSON.stringify(one)))
        .map((one) => `${one.type} ${one.name}: holds a credential`),
  },
  {
    name: "the signing key that the apps are told of is the one deployed",
    problems: everyApp(({ settings: { SIGNING_KEY_ID: keyId = "" } }, deployment) => {
      const isDeployed = ofType(deployment, types.key).some((key) => {
        const [vault, name] = key.name.split("/");
        return keyId.startsWith(`https://${vault}.`) && keyId.endsWith(`/keys/${name}`);
      });
      return isDeployed ? [] : [`SIGNING_KEY_ID: ${keyId} is no key of this deployment`];
    }),
  },
];

/** What holds only where a parameter file says everything, as check.bicepparam does. */
export const completenessFacts: readonly Fact[] = [
  {
    name: "every setting that the service reads in Azure can be given",
    problems: everyApp(({ settings: given }) =>
      Object.keys(settings.shape)
        .filter((name) => !localSettings.includes(name) && !(name in given))
        .map((name) => `${name}: add it to the overrides of main.bicep, and a value to check.bicepparam`),
    ),
  },
];

const withIdentity = z.looseObject({
  identity: z.looseObject({ userAssignedIdentities: z.record(z.string(), z.unknown()) }),
});
const identitiesOf = (site: DeployedApp["site"]): readonly string[] =>
  Object.keys(withIdentity.safeParse(site).data?.identity.userAssignedIdentities ?? {});

/** What only a deployment can work out (a client id, say) gets a value that its setting would take. */
const withSampleValues = (given: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      isUnresolved(value) ? "https://known-when-deployed.example" : value,
    ]),
  );
