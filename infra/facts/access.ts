import { z } from "zod";
import { roleGrants, type Scope } from "../roles.ts";
import { accountsOf, type Deployment, ofType, type Resource, types } from "./deployment.ts";
import { every, type Fact } from "./fact.ts";

/** Who may do what: role assignments, the signing key, telemetry. */

const roleAssignment = z.looseObject({
  properties: z.looseObject({
    principalId: z.string(),
    principalType: z.literal("ServicePrincipal"),
    roleDefinitionId: z.string(),
  }),
});

export const accessFacts: readonly Fact[] = [
  {
    name: "roles are those that roles.ts lists, where it lists them",
    problems: (deployment) => {
      const listed = listedAssignments(deployment);
      const deployed = deployedAssignments(deployment);
      return [
        ...listed.filter((one) => !deployed.includes(one)).map((one) => `${one}: in roles.ts, not deployed`),
        ...deployed.filter((one) => !listed.includes(one)).map((one) => `${one}: deployed, not in roles.ts`),
      ];
    },
  },
  {
    name: "every role goes to one identity",
    problems: (deployment) => {
      const principals = new Set(
        ofType(deployment, types.roleAssignment).map(
          (one) => roleAssignment.safeParse(one).data?.properties.principalId,
        ),
      );
      return principals.size === 1 && !principals.has(undefined)
        ? []
        : [`${principals.size} principals, or no service`];
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

const scopes: Readonly<Record<Scope, (deployment: Deployment) => readonly Resource[]>> = {
  "host account": accountsOf.host,
  "state account": accountsOf.tables,
  "each bundle account": accountsOf.bundles,
  "signing key": (deployment) => ofType(deployment, types.key),
  telemetry: (deployment) => ofType(deployment, types.telemetry),
};

/** `<role id> on <resource>` of each grant in the list. A scope that the deployment has nothing of shows as missing. */
const listedAssignments = (deployment: Deployment): readonly string[] =>
  roleGrants.flatMap(({ role, roleId, scope }) => {
    const resources = scopes[scope](deployment);
    return resources.length === 0
      ? [`${role} on ${scope}`]
      : resources.map((resource) => assignment(roleId, resource.id));
  });

const deployedAssignments = (deployment: Deployment): readonly string[] =>
  ofType(deployment, types.roleAssignment).map((one) => {
    const roleId =
      roleAssignment.safeParse(one).data?.properties.roleDefinitionId.split("/").at(-1) ?? "no role of a service";
    return assignment(roleId, one.id.split(`/providers/${types.roleAssignment}/`)[0] ?? "");
  });

/** Names the role where the list knows it, and the resource without what all resource ids share. */
const assignment = (roleId: string, resourceId: string): string => {
  const role = roleGrants.find((grant) => grant.roleId === roleId)?.role ?? roleId;
  return `${role} on ${resourceId.split("/providers/").slice(1).join("/") || resourceId}`;
};
