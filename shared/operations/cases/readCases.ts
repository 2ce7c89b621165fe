import type { CaseBundle } from "../../api/bundles.ts";
import type { SupportCase } from "../../api/cases.ts";
import type { BundleId, CaseNumber, StampId } from "../../api/primitives.ts";
import { candidateReasons } from "../../domain/candidates.ts";
import { type CaseRecord, isAssigned } from "../../domain/case.ts";
import { mapAhead, mapBounded, take } from "../bounded.ts";
import { bundleView } from "../bundles/view.ts";
import type { Caller } from "../caller.ts";
import type { Page, World } from "../needs.ts";
import { type PageRequest, type PageResult, pageResult } from "../paging.ts";
import { caseView, requireKnown } from "./view.ts";

type Needs = Pick<World, "clock" | "cases" | "stamps" | "directory" | "people">;

export async function readCase(world: Needs, caller: Caller, caseNumber: CaseNumber): Promise<SupportCase> {
  return await caseView(world, requireKnown(await world.cases.head(caseNumber), caller));
}

/** How many cases one page looks at, at the most, for those that a filter lets through. */
const mostLookedAt = 1000;
const readAhead = 16;

/** In order of case number; an engineer's own only. */
export async function listCases(
  world: Needs,
  caller: Caller,
  page: PageRequest,
  filter: { readonly state?: CaseRecord["state"] | undefined },
): Promise<PageResult<SupportCase>> {
  const value: SupportCase[] = [];
  let last: string | undefined;
  let lookedAt = 0;
  const heads = mapAhead(casesKnownTo(world, caller, page.after), readAhead, ({ item }) => world.cases.head(item));
  for await (const { item, value: head } of heads) {
    if (value.length === page.top || lookedAt === mostLookedAt) return { value, next: last };
    last = item.cursor;
    lookedAt += 1;
    const record = head.state;
    if (record !== undefined && isShown(record, caller, filter.state)) value.push(await caseView(world, record));
  }
  return { value, next: undefined };
}

const casesKnownTo = (world: Needs, caller: Caller, after: string | undefined): Page<CaseNumber> =>
  caller.kind === "token" && caller.role === "E"
    ? world.directory.casesOf(caller.subject, after)
    : world.directory.cases(after);

/** An assignment in the directory may be an old one: the case itself decides. */
function isShown(record: CaseRecord, caller: Caller, state: CaseRecord["state"] | undefined): boolean {
  const known = caller.kind === "token" && (caller.role !== "E" || isAssigned(record, caller.subject));
  return known && (state ?? record.state) === record.state;
}

/** The bundles linked to a case, in order of stamp and bundle id. */
export async function listCaseBundles(
  world: Needs,
  caller: Caller,
  caseNumber: CaseNumber,
  page: PageRequest,
): Promise<PageResult<CaseBundle>> {
  requireKnown(await world.cases.head(caseNumber), caller);
  const { taken, more } = await take(world.cases.links(caseNumber, page.after), page.top);
  const views = await mapBounded(taken, 16, ({ item }) => readView(world, item.stampId, item.bundleId));
  return pageResult(
    views.filter((view) => view !== undefined).map((view) => shownTo(caller, caseNumber, view)),
    taken,
    more,
  );
}

/** To an engineer there are only the cases assigned to them: what a bundle has to do with others is left out. */
function shownTo(caller: Caller, looksAt: CaseNumber, { caseNumber, ...view }: CaseBundle): CaseBundle {
  const claim = caseNumber === undefined ? {} : { caseNumber };
  if (caller.kind === "token" && caller.role !== "E") return { ...view, ...claim };
  const links = view.links.filter((link) => link.caseNumber === looksAt);
  return { ...view, ...(caseNumber === looksAt ? claim : {}), links };
}

async function readView(world: Needs, stampId: StampId, bundleId: BundleId): Promise<CaseBundle | undefined> {
  const [head, bundle] = await Promise.all([world.stamps.head(stampId), world.stamps.bundle(stampId, bundleId)]);
  return head.state === undefined || bundle === undefined
    ? undefined
    : bundleView(bundle, head.state, world.clock.now());
}

/**
 * Bundles of the case's stamps that could be linked and are not, each with its reasons. One page walks the stamps in the order of their ids
 * and each one's history, newest first.
 */
export async function listCandidates(
  world: Needs,
  caller: Caller,
  caseNumber: CaseNumber,
  page: PageRequest,
): Promise<PageResult<CaseBundle>> {
  const record = requireKnown(await world.cases.head(caseNumber), caller);
  const now = world.clock.now();
  const value: CaseBundle[] = [];
  let last: string | undefined;
  let lookedAt = 0;
  const histories = mapAhead(bundlesOf(world, record, page.after), readAhead, async ({ stampId, bundleId }) => ({
    bundle: await world.stamps.bundle(stampId, bundleId),
    stamp: (await world.stamps.head(stampId)).state,
  }));
  for await (const { item, value: found } of histories) {
    if (value.length === page.top || lookedAt === mostLookedAt) return { value, next: last };
    last = item.cursor;
    lookedAt += 1;
    const { bundle, stamp } = found;
    if (bundle === undefined || stamp === undefined) continue;
    const reasons = candidateReasons(bundle, record, now);
    if (reasons !== undefined) value.push(shownTo(caller, caseNumber, { ...bundleView(bundle, stamp, now), reasons }));
  }
  return { value, next: undefined };
}

/** A place in several histories: the stamp, then the place in its own. */
const placeSeparator = "|";

async function* bundlesOf(world: Needs, record: CaseRecord, after: string | undefined) {
  const [afterStamp, afterRow] = after?.split(placeSeparator) ?? [];
  for (const stampId of [...record.stampIds].sort()) {
    if (afterStamp !== undefined && stampId < afterStamp) continue;
    const from = stampId === afterStamp ? afterRow : undefined;
    for await (const { cursor, item: bundleId } of world.stamps.history(stampId, from)) {
      yield { cursor: `${stampId}${placeSeparator}${cursor}`, stampId, bundleId };
    }
  }
}
