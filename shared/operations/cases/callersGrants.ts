import type { BundleId, CaseNumber, GrantId, StampId } from "../../api/primitives.ts";
import type { CaseRecord } from "../../domain/case.ts";
import { bundleIn, type GrantRecord, grantEnd, isPending } from "../../domain/grant.ts";
import { requireActiveGrant } from "../../domain/lending.ts";
import { DomainError } from "../../errors.ts";
import type { TokenCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { noSuchGrant } from "../refusals.ts";
import { requireKnown } from "./view.ts";

/** Requests for a bundle's files may leave out the grant: one of the caller's own that lends the bundle is found. */

export type AtBundle = { readonly caseNumber: CaseNumber; readonly stampId: StampId; readonly bundleId: BundleId };

export type CallersGrants = { readonly record: CaseRecord; readonly grants: readonly [GrantRecord, ...GrantRecord[]] };

type Needs = Pick<World, "cases" | "clock">;

/** The grant that is named, or the caller's own of the bundle, those of all roles first. Throws unless the first of them is active. */
export async function requireGrants(
  world: Needs,
  caller: TokenCaller,
  at: AtBundle,
  grantId: GrantId | undefined,
): Promise<CallersGrants> {
  const { cases, clock } = world;
  const [head, named] = await Promise.all([
    cases.head(at.caseNumber),
    grantId === undefined ? undefined : cases.grant(at.caseNumber, grantId),
  ]);
  const record = requireKnown(head, caller);
  const [first, ...others] =
    grantId === undefined ? await grantsThatLend(world, record, caller, at) : named === undefined ? [] : [named];
  if (first === undefined) throw grantId === undefined ? noGrant() : noSuchGrant();
  requireActiveGrant(first, record, caller.subject, clock.now());
  return { record, grants: [first, ...others] };
}

const noGrant = () =>
  new DomainError(
    "GrantNotActive",
    "No active grant of yours lends this bundle. Ask for one (PUT /cases/{caseNumber}/accessGrants/{grantId}).",
  );

/** The caller's grants of the bundle that have not ended; where all of them wait for approval, one that says so. */
async function grantsThatLend(
  { cases, clock }: Needs,
  record: CaseRecord,
  caller: TokenCaller,
  bundle: Pick<AtBundle, "stampId" | "bundleId">,
): Promise<readonly GrantRecord[]> {
  const lending: GrantRecord[] = [];
  let waiting: GrantRecord | undefined;
  for await (const { item } of cases.activeGrants(record.caseNumber)) {
    const grant = await cases.grant(record.caseNumber, item);
    if (grant?.grantee !== caller.subject || grantEnd(grant, record, clock.now()) !== undefined) continue;
    if (bundleIn(grant, bundle) === undefined) continue;
    if (isPending(grant)) waiting ??= grant;
    else lending.push(grant);
  }
  if (lending.length === 0) return waiting === undefined ? [] : [waiting];
  return lending.sort((one, other) => Number(one.roles !== undefined) - Number(other.roles !== undefined));
}

/** Does it under the first of the grants that allows it; where none does, throws the first one's refusal. */
export async function underOneOf<T>(lending: CallersGrants, attempt: (grant: GrantRecord) => Promise<T>): Promise<T> {
  for await (const { result } of allowing(lending, attempt)) return result;
  throw noGrant();
}

/** The grants that allow it, in turn, each with what the attempt gave; where none does, throws the first one's refusal. */
export async function* allowing<T>(
  { grants }: CallersGrants,
  attempt: (grant: GrantRecord) => Promise<T>,
): AsyncGenerator<{ readonly grant: GrantRecord; readonly result: T }> {
  const refusals: unknown[] = [];
  for (const grant of grants) {
    const tried = await attempt(grant).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    if ("result" in tried) yield { grant, result: tried.result };
    else if (isOfTheGrant(tried.error)) refusals.push(tried.error);
    else throw tried.error;
  }
  if (refusals.length === grants.length) throw refusals[0];
}

/** Refusals that another grant may not meet. */
const isOfTheGrant = (error: unknown): boolean =>
  error instanceof DomainError && ["RoleNotGranted", "GrantNotActive", "PurposeNotConsented"].includes(error.code);
