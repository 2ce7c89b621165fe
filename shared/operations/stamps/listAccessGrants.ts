import type { StampGrant } from "../../api/cases.ts";
import type { StampId } from "../../api/primitives.ts";
import type { CaseRecord } from "../../domain/case.ts";
import type { GrantRecord } from "../../domain/grant.ts";
import type { Caller } from "../caller.ts";
import { grantFacts } from "../cases/view.ts";
import { nameOfEngineer } from "../nameOfEngineer.ts";
import type { World } from "../needs.ts";
import { type PageRequest, type PageResult, sieve } from "../paging.ts";
import { requireStamp } from "../refusals.ts";

type Needs = Pick<World, "cases" | "clock" | "people" | "stamps">;

/** A place in the list: case number and the grant's own place. */
const separator = "#";

/** Who was lent which of the stamp's bundles, active or ended and why: a pseudonym to the stamp, the object id to an auditor. By case, then grant. */
export async function listAccessGrants(
  world: Needs,
  caller: Caller,
  stampId: StampId,
  page: PageRequest,
): Promise<PageResult<StampGrant>> {
  requireStamp(caller.kind === "stamp" ? caller.head : await world.stamps.head(stampId));
  return await sieve(grantsOfCases(world, stampId, page.after), page.top, async ({ record, grant }) => {
    const { approval, ...facts } = grantFacts(grant, record, world.clock.now());
    const bundles = facts.bundles.filter((each) => each.stampId === stampId);
    if (bundles.length === 0) return undefined;
    const stampIds = approval?.stampIds.filter((each) => each === stampId) ?? [];
    const own = approval === undefined || stampIds.length === 0 ? {} : { approval: { ...approval, stampIds } };
    return { ...facts, bundles, ...own, grantee: await nameOfEngineer(world, caller, stampId, grant.grantee) };
  });
}

type Placed = { readonly cursor: string; readonly record: CaseRecord; readonly grant: GrantRecord };

/** The grants of every case that a bundle of the stamp was ever linked to, other stamps' among them. */
async function* grantsOfCases(world: Needs, stampId: StampId, after: string | undefined): AsyncGenerator<Placed> {
  const [afterCase = "", afterGrant] = after?.split(separator) ?? [];
  for await (const { item: caseNumber } of world.stamps.cases(stampId)) {
    if (caseNumber < afterCase) continue;
    const record = (await world.cases.head(caseNumber)).state;
    if (record === undefined) continue;
    const from = caseNumber === afterCase ? afterGrant : undefined;
    for await (const { cursor, item: grant } of world.cases.grants(caseNumber, from)) {
      yield { cursor: `${caseNumber}${separator}${cursor}`, record, grant };
    }
  }
}
