import { addressesIn } from "./contradictions.ts";
import { embeddedHostOnly, type LocalRun } from "./localRun.ts";
import type { Settings } from "./settings.ts";

/** Settings that switch trust or retention off beside those that say that the service runs in Azure. Each sentence begins with a setting's name. */

export type Environment = Readonly<Record<string, string | undefined>>;

/** `localRun` is what the embedded host says in code, and undefined under any other host. */
export function localOnlyIn(
  values: Settings,
  environment: Environment,
  localRun: LocalRun | undefined,
): readonly string[] {
  const sign = signOfAzure(values, environment);
  return [
    ...(localRun === undefined ? forTheEmbeddedHost(environment) : []),
    ...(sign === undefined ? [] : anotherConnection(environment)),
    ...(sign === undefined ? [] : besideAzure(sign, values, environment, localRun)),
    ...(localRun === undefined ? overTheWire(values, sign !== undefined) : []),
  ];
}

const isSet = (environment: Environment, name: string): boolean => (environment[name]?.trim() ?? "") !== "";

/** What of the environment shows that this is Azure: an identity in place of a key, a resource there, or the platform's own settings. */
function signOfAzure(values: Settings, environment: Environment): string | undefined {
  if (values.StateStorage === undefined) return "StateStorage__tableServiceUri";
  if (values.BUNDLE_ACCOUNTS?.some(({ resourceId }) => resourceId !== undefined))
    return "a resourceId in BUNDLE_ACCOUNTS";
  return platformSetting(environment);
}

/** Core Tools say `WEBSITE_HOSTNAME=localhost:7071` on a developer's machine. */
const platformSetting = (environment: Environment): string | undefined =>
  Object.keys(environment).find(
    (name) =>
      name.startsWith("WEBSITE_") &&
      isSet(environment, name) &&
      !(name === "WEBSITE_HOSTNAME" && isLoopback(`http://${environment[name]}`)),
  );

const isLoopback = (url: string): boolean =>
  URL.canParse(url) && ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname);

/**
 * The host looks for a trigger's connection under these names before `StateStorage`, so the queues would be another account's than the service's own.
 * https://learn.microsoft.com/azure/azure-functions/functions-app-settings
 */
const connectionOfTriggers = /^(?:AzureWebJobs|ConnectionStrings(?:__|:)|[A-Z]+CONNSTR_)StateStorage(?:$|__|:)/i;

const anotherConnection = (environment: Environment): readonly string[] =>
  Object.keys(environment)
    .filter((name) => connectionOfTriggers.test(name) && isSet(environment, name))
    .map((name) => `${name}: triggers would use it in place of StateStorage__…; remove it`);

const forTheEmbeddedHost = (environment: Environment): readonly string[] =>
  embeddedHostOnly
    .filter((name) => isSet(environment, name))
    .map((name) => `${name}: only npm start takes it, on one machine; remove it here`);

function besideAzure(
  sign: string,
  values: Settings,
  environment: Environment,
  localRun: LocalRun | undefined,
): readonly string[] {
  const here = `is for a run on one machine, and ${sign} says that this is none`;
  const platform = platformSetting(environment);
  return [
    ...(localRun !== undefined && localRun.clockOffsetDays !== 0 ? [`CLOCK_OFFSET_DAYS: ${here}; remove it`] : []),
    ...(isSet(environment, "SIGNING_KEY_FILE") ? [`SIGNING_KEY_FILE: ${here}; name the key with SIGNING_KEY_ID`] : []),
    ...(values.StateStorage !== undefined && platform !== undefined
      ? [`StateStorage: a connection string ${here}; set the StateStorage__… endpoints`]
      : []),
  ];
}

/** A developer's machine talks to itself without encryption; what leaves a machine never does. */
function overTheWire(values: Settings, inAzure: boolean): readonly string[] {
  const { TOKEN_JWKS_URL: keys, OTEL_EXPORTER_OTLP_ENDPOINT: collector } = values;
  const always = [{ setting: "TOKEN_JWKS_URL", url: new URL(keys) }];
  const origins = (["PUBLIC_ORIGIN", "OTHER_APP_ORIGIN"] as const).flatMap((setting) =>
    values[setting] === undefined ? [] : [{ setting, url: new URL(values[setting]) }],
  );
  const addresses = inAzure ? [...origins, ...addressesIn(values)] : always;
  const beside =
    collector === undefined || isLoopback(collector)
      ? []
      : [{ setting: "OTEL_EXPORTER_OTLP_ENDPOINT", url: new URL(collector) }];
  return [...addresses, ...beside]
    .filter(({ url }) => url.protocol !== "https:" && (inAzure || !isLoopback(url.href)))
    .map(({ setting }) => `${setting}: must begin with https://`);
}

/** Keys from another host than the issuer's would let that host sign tokens in the issuer's name; the embedded host brings its own. */
export function anotherHostsKeys(
  values: Settings,
  environment: Environment,
  localRun: LocalRun | undefined,
): readonly string[] {
  const { TOKEN_ISSUER: issuer, TOKEN_JWKS_URL: keys } = values;
  const isDevelopers = signOfAzure(values, environment) === undefined && isLoopback(keys);
  if (localRun?.settings.TOKEN_JWKS_URL !== undefined || isDevelopers) return [];
  const { host } = new URL(issuer);
  return new URL(keys).host === host ? [] : [`TOKEN_JWKS_URL: must be on the host of TOKEN_ISSUER, which is ${host}`];
}
