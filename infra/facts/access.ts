import { z } from "zod";
import { conditionOf, type Holder, type RoleGrant, roleGrants, type Scope } from "../roles.ts";
import { accountsOf, type Deployment, ofType, type Resource, types } from "./deployment.ts";
import { every, type Fact } from "./fact.ts";

/** Who may do what: role assignments, the signing key, telemetry. */

const roleAssignment = z.looseObject({
  properties: z.looseObject({
    principalId: z.string(),
    principalType: z.literal("ServicePrincipal"),
    roleDefinitionId: z.string(),
    condition: z.string().optional(),
  }),
});

export const accessFacts: readonly Fact[] = [
  {
    name: "roles are those that roles.ts lists: whose, where, under which condition",
    problems: (deployment) => {
      const listed = roleGrants.flatMap((grant) => assignmentsOf(grant, deployment));
      const deployed = ofType(deployment, types.roleAssignment).map(deployedAssignment);
      return [
        ...missingIn(deployed, listed).map((one) => `${one}: in roles.ts, not deployed`),
        ...missingIn(listed, deployed).map((one) => `${one}: deployed, not in roles.ts`),
      ];
    },
  },
  {
    name: "the vault takes roles only, and what it holds cannot be destroyed at once",
    problems: every(
      types.vault,
      z.looseObject({
        properties: z.looseObject({
          enableRbacAuthorization: z.literal(true),
          enableSoftDelete: z.literal(true),
          enablePurgeProtection: z.literal(true),
        }),
      }),
    ),
  },
  {
    name: "the signing key is EC P-256, signs only, and never leaves the vault",
    problems: every(
      types.key,
      z.looseObject({
        properties: z.looseObject({
          kty: z.enum(["EC", "EC-HSM"]),
          curveName: z.literal("P-256"),
          keyOps: z.array(z.enum(["sign", "verify"])).min(1),
          attributes: z.looseObject({ exportable: z.literal(false) }),
        }),
      }),
    ),
  },
  {
    name: "no key writes telemetry",
    problems: every(
      types.telemetry,
      z.looseObject({ properties: z.looseObject({ DisableLocalAuth: z.literal(true) }) }),
    ),
  },
  {
    name: "no key reads logs",
    problems: every(
      types.workspace,
      z.looseObject({ properties: z.looseObject({ features: z.looseObject({ disableLocalAuth: z.literal(true) }) }) }),
    ),
  },
];

/** The entries of `wanted` that `there` lacks, counting each as often as it stands. */
function missingIn(there: readonly string[], wanted: readonly string[]): readonly string[] {
  const left = [...there];
  return wanted.filter((one) => {
    const at = left.indexOf(one);
    if (at === -1) return true;
    left.splice(at, 1);
    return false;
  });
}

const scopes: Readonly<Record<Scope, (deployment: Deployment) => readonly Resource[]>> = {
  "intake's host account": accountsOf.intakeHost,
  "access's host account": accountsOf.accessHost,
  "state account": accountsOf.tables,
  "queue arrivals": (deployment) =>
    deployment.filter(({ id }) => id.endsWith("/queueServices/default/queues/arrivals")),
  "queue extract": (deployment) => deployment.filter(({ id }) => id.endsWith("/queueServices/default/queues/extract")),
  "queue extract-poison": (deployment) =>
    deployment.filter(({ id }) => id.endsWith("/queueServices/default/queues/extract-poison")),
  "each bundle account": accountsOf.bundles,
  "records account": accountsOf.records,
  "signing key": (deployment) => ofType(deployment, types.key),
  telemetry: (deployment) => ofType(deployment, types.telemetry),
};

/** What one grant comes to in the deployment. A scope that the deployment has nothing of shows as missing. */
function assignmentsOf(grant: RoleGrant, deployment: Deployment): readonly string[] {
  const resources = scopes[grant.scope](deployment);
  if (resources.length === 0) return [`${grant.role} on ${grant.scope}`];
  const condition = grant.containers === undefined ? undefined : conditionOf(grant.containers);
  return grant.holders
    .flatMap((holder) =>
      Array<Holder>(holder === "each topic" ? ofType(deployment, types.topic).length : 1).fill(holder),
    )
    .flatMap((holder) => resources.map(({ id }) => inWords(holder, grant.roleId, id, condition)));
}

function deployedAssignment(one: Resource): string {
  const parsed = roleAssignment.safeParse(one).data?.properties;
  const scope = one.id.split(`/providers/${types.roleAssignment}/`)[0] ?? "";
  if (parsed === undefined) return `something that is no role of a service on ${scope}`;
  const roleId = parsed.roleDefinitionId.split("/").at(-1) ?? "";
  return inWords(holderOf(parsed.principalId), roleId, scope, parsed.condition);
}

/** An object id is known once it is deployed; until then it is a reference to the module that makes the identity. */
function holderOf(principalId: string): string {
  const [, app] = /'(intake|access)Identity-/.exec(principalId) ?? [];
  return app ?? (/'arrivals-/.test(principalId) ? "each topic" : "somebody else");
}

/** Names the role where the list knows it, and the resource without what all resource ids share. */
function inWords(holder: string, roleId: string, resourceId: string, condition: string | undefined): string {
  const role = roleGrants.find((grant) => grant.roleId === roleId)?.role ?? roleId;
  const where = resourceId.split("/providers/").slice(1).join("/") || resourceId;
  return `${holder}: ${role} on ${where}${condition === undefined ? "" : ` where ${condition}`}`;
}
