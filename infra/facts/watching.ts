import { z } from "zod";
import { alerts } from "../alerts.ts";
import { accountsOf, childrenOf, type Deployment, ofType, type Resource, types } from "./deployment.ts";
import { every, everyApp, type Fact } from "./fact.ts";

/** That somebody is told: diagnostics, alerts, a budget. */

const rule = z.looseObject({
  name: z.string(),
  properties: z.looseObject({
    enabled: z.literal(true),
    criteria: z.looseObject({ allOf: z.array(z.looseObject({ query: z.string() })).length(1) }),
    actions: z.looseObject({
      actionGroups: z.array(z.string()).min(1),
      customProperties: z.looseObject({ runbook: z.string() }),
    }),
  }),
});

/** What is watched from outside of the service's own telling, and the log that must say so. */
const watched: Readonly<Record<string, (deployment: Deployment) => readonly Resource[]>> = {
  StorageRead: accountsOf.bundles,
  StorageDelete: (deployment) => [...accountsOf.bundles(deployment), ...accountsOf.tables(deployment)],
  StorageWrite: accountsOf.records,
  AuditEvent: (deployment) => ofType(deployment, types.vault),
  FunctionAppLogs: (deployment) => ofType(deployment, types.app),
};

const diagnostics = z.looseObject({
  properties: z.looseObject({
    workspaceId: z.string().min(1),
    logs: z.array(z.looseObject({ category: z.string(), enabled: z.boolean() })),
  }),
});

export const watchingFacts: readonly Fact[] = [
  {
    name: "every alert of infra/alerts.json is deployed, tells somebody, and names its section of the runbook",
    problems: (deployment) => {
      const rules = ofType(deployment, types.alert);
      return [
        ...alerts.flatMap(({ name, query }) => {
          const found = rule.safeParse(rules.find((one) => one.name === name)).data?.properties;
          if (found === undefined) return [`${name}: is not deployed, or tells nobody`];
          const sameQuery = found.criteria.allOf[0]?.query === query;
          const named = found.actions.customProperties.runbook.endsWith(`#${name}`);
          return sameQuery && named ? [] : [`${name}: asks something else, or names another section`];
        }),
        ...rules
          .filter(({ name }) => !alerts.some((alert) => alert.name === name))
          .map(({ name }) => `${name}: is in no list`),
      ];
    },
  },
  {
    name: "each app has the name by which alerts and queries ask for it",
    problems: everyApp(({ name, site }) =>
      site.name.startsWith(`func-${name}-`) ? [] : [`${site.name}: does not begin with func-${name}-`],
    ),
  },
  {
    name: "alerts reach a person",
    problems: every(
      types.actionGroup,
      z.looseObject({
        properties: z.looseObject({
          enabled: z.literal(true),
          emailReceivers: z.array(z.looseObject({ emailAddress: z.email() })).min(1),
        }),
      }),
    ),
  },
  {
    name: "a budget is told of before it is spent",
    problems: every(
      types.budget,
      z.looseObject({
        properties: z.looseObject({
          amount: z.number().positive(),
          notifications: z
            .record(z.string(), z.looseObject({ enabled: z.literal(true), contactEmails: z.array(z.email()).min(1) }))
            .refine((all) => Object.keys(all).length > 0, "nobody is told"),
        }),
      }),
    ),
  },
  {
    name: "reads and deletes of bundles, deletes of rows, uses of the key and the apps' logs are on record",
    problems: (deployment) =>
      Object.entries(watched).flatMap(([category, find]) =>
        find(deployment)
          .filter((one) => !logsOf(deployment, one).includes(category))
          .map((one) => `${one.name}: ${category} is not logged`),
      ),
  },
];

const logsOf = (deployment: Deployment, of: Resource): readonly string[] =>
  childrenOf(deployment, of, types.diagnostics).flatMap((one) =>
    (diagnostics.safeParse(one).data?.properties.logs ?? []).flatMap(({ category, enabled }) =>
      enabled ? [category] : [],
    ),
  );
