import { z } from "zod";
import { accountsOf, appsOf, childrenOf, type Deployment, ofType, type Resource, types } from "./deployment.ts";
import { every, everyHas, everyOf, type Fact } from "./fact.ts";

/** What is true of storage accounts, and of the ways to them. */

const properties = <T extends z.ZodRawShape>(shape: T) => z.looseObject({ properties: z.looseObject(shape) });
const off = z.looseObject({ enabled: z.literal(false) });
const sku = (...names: readonly [string, ...string[]]) =>
  z.looseObject({ sku: z.looseObject({ name: z.enum(names) }) });

/** No network comes in: by word, or because the firewall lets nobody pass but Azure's own services with a role. */
const closed = z.union([
  properties({ publicNetworkAccess: z.literal("Disabled") }),
  properties({
    networkAcls: z.strictObject({ defaultAction: z.literal("Deny"), bypass: z.enum(["None", "AzureServices"]) }),
  }),
]);

const withoutBundles = (deployment: Deployment): readonly Resource[] => {
  const bundles = accountsOf.bundles(deployment);
  return [...ofType(deployment, types.account), ...ofType(deployment, types.vault)].filter(
    (one) => !bundles.includes(one),
  );
};

const queues = ["verify", "arrivals", "extract"].flatMap((name) => [name, `${name}-poison`]);

export const accountFacts: readonly Fact[] = [
  {
    name: "no account takes a shared key",
    problems: every(types.account, properties({ allowSharedKeyAccess: z.literal(false) })),
  },
  {
    name: "every account speaks HTTPS only, TLS 1.2 at least",
    problems: every(
      types.account,
      properties({ supportsHttpsTrafficOnly: z.literal(true), minimumTlsVersion: z.enum(["TLS1_2", "TLS1_3"]) }),
    ),
  },
  {
    name: "no account shows a blob to the public, or copies to another tenant",
    problems: every(
      types.account,
      properties({ allowBlobPublicAccess: z.literal(false), allowCrossTenantReplication: z.literal(false) }),
    ),
  },
  {
    name: "only accounts of bundles face the internet",
    problems: everyOf("account or vault beside those of bundles", withoutBundles, closed),
  },
  {
    name: "what does not face the internet has its private endpoints",
    problems: (deployment) =>
      endpointsNeeded(deployment).flatMap(({ target, service }) =>
        hasEndpoint(deployment, target, service) ? [] : [`${target.name}: has no private endpoint for ${service}`],
      ),
  },
  {
    name: "bundles have no far copy",
    problems: everyOf("account of bundles", accountsOf.bundles, sku("Standard_LRS", "Standard_ZRS")),
  },
  {
    name: "rows and records outlive a region",
    problems: everyOf(
      "account of rows",
      (deployment) => [...accountsOf.tables(deployment), ...accountsOf.records(deployment)],
      sku("Standard_RAGRS", "Standard_RAGZRS"),
    ),
  },
  {
    name: "each task has an account of its own",
    problems: (deployment) => {
      const tasks = [accountsOf.intakeHost, accountsOf.accessHost, accountsOf.tables, accountsOf.records];
      const used = [...tasks, accountsOf.bundles].map((find) => find(deployment).map(({ name }) => name));
      const all = used.flat();
      return [
        ...all.filter((name, index) => all.indexOf(name) !== index).map((name) => `${name}: has two tasks`),
        ...used.flatMap((names, index) => (names.length === 0 ? [`task ${index + 1} has no account`] : [])),
      ];
    },
  },
  {
    name: "a delete is a delete: no soft delete, versions, change feed or restore in any account",
    problems: everyHas(
      types.account,
      "blobServices/default",
      properties({
        deleteRetentionPolicy: off,
        containerDeleteRetentionPolicy: off,
        isVersioningEnabled: z.literal(false),
        changeFeed: off,
        restorePolicy: off,
      }),
    ),
  },
  {
    name: "the queues and their poison queues are there",
    problems: (deployment) => {
      const [account] = accountsOf.queues(deployment);
      if (account === undefined) return ["StateStorage__queueServiceUri names no account of this deployment"];
      return queues
        .filter((queue) => !deployment.some((one) => one.id === `${account.id}/queueServices/default/queues/${queue}`))
        .map((queue) => `${account.name}: has no queue ${queue}`);
    },
  },
  {
    name: "checkpoints and the exported ledger are in containers that nobody can rewrite for years",
    problems: (deployment) =>
      ["checkpoints", "ledger"].flatMap((name) => {
        const containers = ofType(deployment, types.container).filter((one) => one.id.endsWith(`/containers/${name}`));
        if (containers.length === 0) return [`there is no container ${name}`];
        const isSet = containers.some(({ id }) => keptAt(deployment).includes(id));
        if (!isSet) return [`${name}: no app is told to write there`];
        return containers.flatMap((container) => {
          const [policy] = childrenOf(deployment, container, `${types.container}/immutabilityPolicies`);
          return unchangeable.safeParse(policy).success ? [] : [`${container.name}: can be rewritten within a year`];
        });
      }),
  },
];

/** The containers that access, whose timer writes them, is told of. */
const keptAt = (deployment: Deployment): readonly string[] =>
  appsOf(deployment)
    .filter(({ name }) => name === "access")
    .flatMap(({ settings }) => [settings.CHECKPOINT_CONTAINER_URL, settings.LEDGER_EXPORT_CONTAINER_URL])
    .flatMap((url) => {
      if (url === undefined || !URL.canParse(url)) return [];
      const { hostname, pathname } = new URL(url);
      const account = ofType(deployment, types.account).find(({ name }) => name === hostname.split(".")[0]);
      return account === undefined ? [] : [`${account.id}/blobServices/default/containers${pathname}`];
    });

const unchangeable = properties({
  immutabilityPeriodSinceCreationInDays: z.number().min(365),
  allowProtectedAppendWrites: z.literal(false),
});

type EndpointNeeded = { readonly target: Resource; readonly service: string };

const endpointsNeeded = (deployment: Deployment): readonly EndpointNeeded[] =>
  (
    [
      [accountsOf.intakeHost(deployment), "blob"],
      [accountsOf.accessHost(deployment), "blob"],
      [accountsOf.tables(deployment), "table"],
      [accountsOf.queues(deployment), "queue"],
      [accountsOf.records(deployment), "blob"],
      [ofType(deployment, types.vault), "vault"],
    ] as const
  ).flatMap(([targets, service]) => targets.map((target) => ({ target, service })));

const connection = properties({
  privateLinkServiceConnections: z.array(
    properties({ privateLinkServiceId: z.string(), groupIds: z.array(z.string()) }),
  ),
});

const hasEndpoint = (deployment: Deployment, target: Resource, service: string): boolean =>
  ofType(deployment, types.privateEndpoint).some((endpoint) =>
    connection
      .safeParse(endpoint)
      .data?.properties.privateLinkServiceConnections.some(
        ({ properties: to }) => to.privateLinkServiceId === target.id && to.groupIds.includes(service),
      ),
  );
