import type { OperationId } from "../../../shared/api/routes.ts";

/** Ownership and states of what a request names, by the names that they have here and in the printed table. */

export const states = {
  case: { open: "open", closed: "closed" },
  grant: { new: "new", pending: "waiting for approval", active: "active", ended: "ended" },
  bundle: {
    created: "created",
    accepted: "accepted",
    erasing: "to be erased",
    purged: "purged",
    /** On a stamp's path: not under that stamp. On a case's: of a stamp that is not on the case. */
    anotherStamps: "of another stamp",
  },
} as const;

export type CaseState = keyof typeof states.case;
export type GrantState = keyof typeof states.grant;
export type BundleState = keyof typeof states.bundle;

/** Undefined where the request names no such thing. */
export type Situation = {
  readonly case: CaseState | undefined;
  readonly grant: GrantState | undefined;
  readonly bundle: BundleState | undefined;
};

/** Operations that name a bundle in their body. */
const bundleInBody: readonly OperationId[] = ["Grants_Put", "Grants_IssueUrl"];

const namesOf = <T extends object>(words: T) =>
  Object.keys(words).filter((name): name is keyof T & string => name in words);

/** All situations that a route can be called in, from what its path and body name. */
export function situationsOf(operationId: OperationId, verb: string, path: string): Situation[] {
  const cases = path.includes("{caseNumber}") ? namesOf(states.case) : [undefined];
  // Only a PUT may name a grant that is not there yet.
  const grants = path.includes("{grantId}")
    ? namesOf(states.grant).filter((state) => state !== "new" || verb === "PUT")
    : [undefined];
  const namesBundle = path.includes("{bundleId}") || bundleInBody.includes(operationId);
  // A PUT to a standing grant repeats the request that made it, whatever has become of its bundles since.
  const bundlesOf = (grant: GrantState | undefined) =>
    namesBundle && !(verb === "PUT" && grant !== undefined && grant !== "new") ? namesOf(states.bundle) : [undefined];
  return cases
    .flatMap((ofCase) => grants.flatMap((grant) => bundlesOf(grant).map((bundle) => ({ case: ofCase, grant, bundle }))))
    .filter(canExist);
}

/** Closing a case ends its grants. */
const canExist = (situation: Situation): boolean =>
  !(situation.case === "closed" && (situation.grant === "active" || situation.grant === "pending"));
