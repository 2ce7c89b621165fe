import { parseAccountId } from "./accountId.ts";
import { cloudOf } from "./clouds.ts";
import type { Settings } from "./settings.ts";

/** Settings that are each well-formed and cannot be meant together. Each sentence begins with a setting's name and says what to do. */
export const contradictionsIn = (values: Settings): readonly string[] => [
  ...halfAnApp(values),
  ...accountsNamedTwice(values),
  ...nowhereToPlace(values),
  ...unknownToResourceManager(values),
  ...ofAnotherCloud(values),
  ...anotherTenantsIssuer(values),
];

/** In Azure nothing is registered by default: an app that was told nothing would take every credential. */
function halfAnApp({ APP_ROLE: role, OTHER_APP_ORIGIN: other, StateStorage }: Settings): readonly string[] {
  if (role === undefined) {
    return StateStorage === undefined
      ? ["APP_ROLE: is needed, intake or access (all, where one app is everything)"]
      : [];
  }
  return role !== "all" && other === undefined ? [`OTHER_APP_ORIGIN: is needed where APP_ROLE is ${role}`] : [];
}

function accountsNamedTwice({ BUNDLE_ACCOUNTS: accounts = [] }: Settings): readonly string[] {
  const names = accounts.map(({ name }) => name);
  return names
    .filter((name, index) => names.indexOf(name) !== index)
    .map(
      (name) =>
        `BUNDLE_ACCOUNTS: names ${name} twice; a bundle's row could mean either, so give each account one entry`,
    );
}

function nowhereToPlace({ BUNDLE_ACCOUNTS: accounts }: Settings): readonly string[] {
  return accounts?.every(({ draining }) => draining === true)
    ? ["BUNDLE_ACCOUNTS: every entry is draining; leave at least one that takes new bundles"]
    : [];
}

/** Where accounts are found by an identity, Resource Manager must be asked how they are set up: nothing else can tell. */
function unknownToResourceManager(values: Settings): readonly string[] {
  const { BUNDLE_ACCOUNTS: accounts = [], RESOURCE_MANAGER_ENDPOINT: endpoint } = values;
  const isInAzure = values.StateStorage === undefined;
  const missing = isInAzure && endpoint === undefined;
  return [
    ...(missing ? ["RESOURCE_MANAGER_ENDPOINT: is needed, such as https://management.azure.com"] : []),
    ...accounts
      .filter(({ resourceId }) => isInAzure && resourceId === undefined)
      .map(({ name }) => `BUNDLE_ACCOUNTS: the entry of ${name} needs its resourceId`),
    ...accounts
      .filter(({ name, resourceId }) => resourceId !== undefined && parseAccountId(resourceId)?.account !== name)
      .map(({ name }) => `BUNDLE_ACCOUNTS: the resourceId of ${name} is another account's; give its own`),
  ];
}

export type Address = { readonly setting: string; readonly url: URL };

export function addressesIn(values: Settings): readonly Address[] {
  const given: readonly (readonly [setting: string, url: string | undefined])[] = [
    ["StateStorage__tableServiceUri", values.StateStorage__tableServiceUri],
    ["StateStorage__queueServiceUri", values.StateStorage__queueServiceUri],
    ...(values.BUNDLE_ACCOUNTS ?? []).map(({ blobEndpoint }) => ["BUNDLE_ACCOUNTS", blobEndpoint] as const),
    ["CHECKPOINT_CONTAINER_URL", values.CHECKPOINT_CONTAINER_URL],
    ["LEDGER_EXPORT_CONTAINER_URL", values.LEDGER_EXPORT_CONTAINER_URL],
    ["RESOURCE_MANAGER_ENDPOINT", values.RESOURCE_MANAGER_ENDPOINT],
    ["SIGNING_KEY_ID", values.SIGNING_KEY_ID],
    ["TOKEN_ISSUER", values.TOKEN_ISSUER],
    ["TOKEN_JWKS_URL", values.TOKEN_JWKS_URL],
  ];
  return given.flatMap(([setting, url]) => (url === undefined ? [] : [{ setting, url: new URL(url) }]));
}

/** Storage, vault and tokens of two clouds never work together, and where a bundle then lies would be a matter of luck. */
function ofAnotherCloud(values: Settings): readonly string[] {
  const known = addressesIn(values).flatMap(({ setting, url }) => {
    const cloud = cloudOf(url.hostname);
    return cloud === undefined ? [] : [{ setting, cloud }];
  });
  const [first] = known;
  return known
    .filter(({ cloud }) => cloud !== first?.cloud)
    .map(
      ({ setting, cloud }) =>
        `${setting}: is of ${cloud}, but ${first?.setting} is of ${first?.cloud}; name addresses of one cloud`,
    );
}

/** The issuers of Entra ID hold their tenant's id: another's would refuse every token, or let strangers bring theirs. */
function anotherTenantsIssuer({ TOKEN_ISSUER: issuer, TOKEN_TENANT_ID: tenant }: Settings): readonly string[] {
  const { hostname, pathname } = new URL(issuer);
  const isOwn = cloudOf(hostname) === undefined || pathname.toLowerCase().includes(tenant.toLowerCase());
  return isOwn ? [] : ["TOKEN_ISSUER: is not the issuer of TOKEN_TENANT_ID; its path must hold that tenant's id"];
}
