import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Deployment, parseSnapshot, type Resource } from "../../../infra/facts/deployment.ts";
import type { AppName } from "../../../shared/apps.ts";

/** The deployment that every fact holds for, as the compiler predicted it and as it is committed, and ways to break it. */

export const snapshots = ["development", "production", "manyAccounts"] as const;

export const committed = (name: (typeof snapshots)[number]): Deployment =>
  parseSnapshot(readFileSync(join(import.meta.dirname, `../../../infra/snapshots/${name}.snapshot.json`), "utf8"));

export const soundDeployment: Deployment = committed("production");

/** The one resource whose type is this and whose name begins so. */
export function theOne(type: string, begins: string): Resource {
  const found = soundDeployment.filter((one) => one.type === type && one.name.startsWith(begins));
  const [one, ...others] = found;
  if (one === undefined || others.length > 0) throw new Error(`${found.length} of ${type} ${begins}`);
  return one;
}

const changed = (which: Resource, change: (one: Resource) => Resource): Deployment =>
  soundDeployment.map((one) => (one === which ? change(one) : one));

/** The sound deployment with one value set (or, where `undefined`, taken out) in that one resource. */
export const withValue = (type: string, begins: string, path: string, value: unknown): Deployment =>
  changed(theOne(type, begins), (one) => ({ ...one, ...replaced(one, path.split("."), value) }));

/** The sound deployment with one setting of an app set or, where `undefined`, taken out. */
export const withSetting = (app: AppName, name: string, value: string | undefined): Deployment =>
  changed(theOne("Microsoft.Web/sites/config", `func-${app}-`), (one) => ({
    ...one,
    ...replaced(one, ["properties", name], value),
  }));

/** The sound deployment without that one resource. */
export const without = (type: string, begins: string): Deployment => {
  const which = theOne(type, begins);
  return soundDeployment.filter((one) => one !== which);
};

/** The sound deployment without any resource of a type. */
export const withoutAll = (type: string): Deployment => soundDeployment.filter((one) => one.type !== type);

/** The sound deployment and a role more, given to a holder on a resource. */
export const withRole = (scope: Resource, roleId: string, holder: string): Deployment => [
  ...soundDeployment,
  {
    id: `${scope.id}/providers/Microsoft.Authorization/roleAssignments/${roleId}`,
    type: "Microsoft.Authorization/roleAssignments",
    name: roleId,
    properties: {
      principalId: `[reference('${holder}').outputs.principalId.value]`,
      principalType: "ServicePrincipal",
      roleDefinitionId: `/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/${roleId}`,
    },
  },
];

export const lifecycleRule = (name: string, days: number, filters: Record<string, unknown> = {}) => {
  const deletion = { delete: { daysAfterCreationGreaterThan: days } };
  return {
    name,
    type: "Lifecycle",
    enabled: true,
    definition: {
      filters: { blobTypes: ["blockBlob", "appendBlob"], ...filters },
      actions: { baseBlob: deletion, snapshot: deletion, version: deletion },
    },
  };
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function replaced(target: unknown, [first, ...rest]: readonly string[], value: unknown): Record<string, unknown> {
  const copy = isRecord(target) ? { ...target } : {};
  if (first === undefined) return copy;
  if (rest.length > 0) copy[first] = replaced(copy[first], rest, value);
  else if (value === undefined) delete copy[first];
  else copy[first] = value;
  return copy;
}
