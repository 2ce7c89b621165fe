import { z } from "zod";
import { lastCopyDay, retentionDays } from "../../shared/domain/retention.ts";
import { latestPurgeAfterDays } from "../../shared/settings.ts";
import { accountsOf, type Deployment, groupOf, ofType, type Resource, types } from "./deployment.ts";
import type { Fact } from "./fact.ts";

/** The lifecycle rules of the accounts that hold bundles: the net under the service's own purge (`DESIGN.md`, Time). */

/** A rule acts in the days after its own, not at once. */
const lagDays = 3;

/** Days after which everything goes. They count from the blob, and a copy may start `lastCopyDay` days after its bundle. */
const latestDeletionDays = retentionDays - lastCopyDay - lagDays;

const deletion = z.object({ delete: z.object({ daysAfterCreationGreaterThan: z.number() }) });
const lifecycleRule = z.object({
  name: z.string(),
  type: z.literal("Lifecycle"),
  enabled: z.literal(true),
  definition: z.object({
    filters: z.strictObject({ blobTypes: z.array(z.string()), prefixMatch: z.array(z.string()).min(1).optional() }),
    actions: z.strictObject({ baseBlob: deletion, snapshot: deletion, version: deletion }),
  }),
});
type LifecycleRule = z.infer<typeof lifecycleRule>;

const lifecyclePolicy = z.looseObject({
  properties: z.object({ policy: z.object({ rules: z.array(lifecycleRule) }) }),
});

export const retentionFacts: readonly Fact[] = [
  {
    name: `everything in an account of bundles is deleted ${latestDeletionDays} days after it came to be`,
    problems: perBundleAccount((rules) =>
      rules.some((rule) => coversEverything(rule) && latest(rule) <= latestDeletionDays)
        ? []
        : [
            `no rule deletes block and append blobs, snapshots and versions of every container by day ${latestDeletionDays}`,
          ],
    ),
  },
  {
    name: "no rule deletes a bundle before the service may",
    problems: perBundleAccount((rules) =>
      rules
        .filter((rule) => mayMatch(rule, "bundles-") && earliest(rule) <= latestPurgeAfterDays)
        .map((rule) => `rule ${rule.name} deletes bundles after ${earliest(rule)} days`),
    ),
  },
  {
    name: "what is left in landing, lent and box containers goes within days, and not while it is needed",
    problems: perBundleAccount((rules) => [
      ...shortLived(rules, "landing-", lastCopyDay + 1, 14),
      ...shortLived(rules, "lent-", 2, 7),
      ...shortLived(rules, "box-", 4, 14),
    ]),
  },
  {
    name: "a policy refuses whatever would make an account of bundles keep deleted data",
    problems: (deployment) =>
      [...new Set(accountsOf.bundles(deployment).map(groupOf))].flatMap((group) => {
        const assigned = ofType(deployment, types.policyAssignment)
          .filter((one) => groupOf(one) === group)
          .map((one) => assignment.safeParse(one).data?.properties.policyDefinitionId);
        const denied = ofType(deployment, types.policy)
          .filter(({ id }) => assigned.includes(id))
          .flatMap((one) => deniedBy(one));
        const missing = keptThings.filter((thing) => !denied.includes(thing));
        return missing.map((thing) => `${group}: ${thing} is not denied`);
      }),
  },
];

const blobServices = "Microsoft.Storage/storageAccounts/blobServices";
const keptThings: readonly string[] = [
  `${blobServices}/deleteRetentionPolicy.enabled`,
  `${blobServices}/containerDeleteRetentionPolicy.enabled`,
  `${blobServices}/isVersioningEnabled`,
  `${blobServices}/changeFeed.enabled`,
  `${blobServices}/restorePolicy.enabled`,
  "Microsoft.Storage/storageAccounts/objectReplicationPolicies",
];

const assignment = z.looseObject({
  properties: z.looseObject({ policyDefinitionId: z.string(), enforcementMode: z.literal("Default") }),
});

const isType = z.object({ field: z.literal("type"), equals: z.string() });
const policy = z.looseObject({
  properties: z.looseObject({
    policyRule: z.strictObject({
      if: z.strictObject({
        anyOf: z.tuple([
          isType,
          z.strictObject({
            allOf: z.tuple([
              isType.extend({ equals: z.literal(blobServices) }),
              z.strictObject({ anyOf: z.array(z.object({ field: z.string(), equals: z.literal("true") })) }),
            ]),
          }),
        ]),
      }),
      // biome-ignore lint/suspicious/noThenProperty: the language of policies calls it so
      then: z.strictObject({ effect: z.literal("deny") }),
    }),
  }),
});

/** The fields that a policy denies to be true, and the type that it denies altogether. */
function deniedBy(definition: Resource): readonly string[] {
  const rule = policy.safeParse(definition).data?.properties.policyRule.if.anyOf;
  return rule === undefined ? [] : [rule[0].equals, ...rule[1].allOf[1].anyOf.map(({ field }) => field)];
}

/** Applies a judgement to the lifecycle rules of every account that holds bundles. */
function perBundleAccount(judge: (rules: readonly LifecycleRule[]) => readonly string[]): Fact["problems"] {
  return (deployment) => {
    const accounts = accountsOf.bundles(deployment);
    if (accounts.length === 0) return ["BUNDLE_ACCOUNTS names no account of this deployment"];
    return accounts.flatMap((account) => {
      const rules = lifecycleRules(deployment, account);
      return (typeof rules === "string" ? [rules] : judge(rules)).map((problem) => `${account.name}: ${problem}`);
    });
  };
}

/** The rules of an account, or why they cannot be judged: a disabled rule, another kind of action. */
function lifecycleRules(deployment: Deployment, account: Resource): readonly LifecycleRule[] | string {
  const policy = deployment.find((one) => one.id === `${account.id}/managementPolicies/default`);
  if (policy === undefined) return "has no lifecycle policy";
  const parsed = lifecyclePolicy.safeParse(policy);
  return parsed.success ? parsed.data.properties.policy.rules : `lifecycle policy: ${z.prettifyError(parsed.error)}`;
}

const daysOf = ({ definition: { actions } }: LifecycleRule): readonly number[] =>
  [actions.baseBlob, actions.snapshot, actions.version].map((action) => action.delete.daysAfterCreationGreaterThan);
const earliest = (rule: LifecycleRule): number => Math.min(...daysOf(rule));
const latest = (rule: LifecycleRule): number => Math.max(...daysOf(rule));

const coversBlobs = (rule: LifecycleRule): boolean =>
  ["blockBlob", "appendBlob"].every((type) => rule.definition.filters.blobTypes.includes(type));
const coversEverything = (rule: LifecycleRule): boolean =>
  coversBlobs(rule) && rule.definition.filters.prefixMatch === undefined;

/** Whether some container whose name starts with `start` could hold a blob that the rule is about. */
const mayMatch = (rule: LifecycleRule, start: string): boolean =>
  rule.definition.filters.prefixMatch?.some((prefix) => prefix.startsWith(start) || start.startsWith(prefix)) ?? true;

function shortLived(rules: readonly LifecycleRule[], prefix: string, least: number, most: number): readonly string[] {
  const own = rules.filter((rule) => coversBlobs(rule) && rule.definition.filters.prefixMatch?.includes(prefix));
  const isBetween = own.length > 0 && own.every((rule) => earliest(rule) >= least && latest(rule) <= most);
  return isBetween ? [] : [`no rule deletes what starts with ${prefix} after ${least} to ${most} days`];
}
