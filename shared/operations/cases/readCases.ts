import type { CaseBundle } from "../../api/bundles.ts";
import type { SupportCase } from "../../api/cases.ts";
import type { BundleId, CaseNumber, StampId } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import { type CaseRecord, isAssigned } from "../../domain/case.ts";
import { withoutContent } from "../../domain/completeness.ts";
import { mapBounded, take } from "../bounded.ts";
import { bundleView, completenessIn } from "../bundles/view.ts";
import type { Caller } from "../caller.ts";
import type { Page, World } from "../needs.ts";
import { type PageRequest, type PageResult, pageResult, sieve } from "../paging.ts";
import { caseView, requireKnown } from "./view.ts";

type Needs = Pick<World, "clock" | "cases" | "stamps" | "directory" | "people" | "contents">;

export async function readCase(world: Needs, caller: Caller, caseNumber: CaseNumber): Promise<SupportCase> {
  return await caseView(world, requireKnown(await world.cases.head(caseNumber), caller));
}

/** In order of case number; an engineer's own only. */
export async function listCases(
  world: Needs,
  caller: Caller,
  page: PageRequest,
  filter: { readonly state?: CaseRecord["state"] | undefined },
): Promise<PageResult<SupportCase>> {
  return await sieve(casesKnownTo(world, caller, page.after), page.top, async ({ item }) => {
    const record = (await world.cases.head(item)).state;
    const isOne = record !== undefined && isShown(record, caller, filter.state);
    return isOne ? await caseView(world, record) : undefined;
  });
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
  const views = await mapBounded(taken, 16, ({ item }) => readView(world, caller, item.stampId, item.bundleId));
  return pageResult(
    views.filter((view) => view !== undefined).map((view) => shownTo(caller, caseNumber, view)),
    taken,
    more,
  );
}

/** To an engineer there are only the cases assigned to them: what a bundle has to do with others is left out. */
export function shownTo(caller: Caller, looksAt: CaseNumber, { caseNumber, ...view }: CaseBundle): CaseBundle {
  const claim = caseNumber === undefined ? {} : { caseNumber };
  if (caller.kind === "token" && caller.role !== "E") return { ...view, ...claim };
  const links = view.links.filter((link) => link.caseNumber === looksAt);
  return { ...view, ...(caseNumber === looksAt ? claim : {}), links };
}

/** What a file was called in its drop box, as long as its contact is remembered. */
async function withPath(
  { stamps }: Pick<World, "stamps">,
  bundle: BundleRecord,
  view: CaseBundle,
): Promise<CaseBundle> {
  const note = bundle.pathNote === undefined ? undefined : await stamps.note(bundle.stampId, bundle.pathNote);
  return note === undefined ? view : { ...view, path: note.text };
}

/** To an engineer an accepted bundle says what it holds by role, and whether that is what was asked for, so that they ask a grant for the right roles; others are told nothing of it. */
async function readView(
  world: Needs,
  caller: Caller,
  stampId: StampId,
  bundleId: BundleId,
): Promise<CaseBundle | undefined> {
  const [head, bundle] = await Promise.all([world.stamps.head(stampId), world.stamps.bundle(stampId, bundleId)]);
  if (head.state === undefined || bundle === undefined) return undefined;
  const view = await withPath(world, bundle, bundleView(bundle, head.state, world.clock.now()));
  if (view.state !== "accepted" || caller.kind !== "token" || caller.role !== "E") return view;
  return { ...view, ...(await completenessIn(world, bundle, withoutContent)) };
}
