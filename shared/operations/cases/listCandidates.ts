import type { CaseBundle } from "../../api/bundles.ts";
import type { CaseNumber } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import { type CaseSigns, judgeCandidate } from "../../domain/candidates.ts";
import { type CaseRecord, sendersOf } from "../../domain/case.ts";
import type { SenderRecord } from "../../domain/sender.ts";
import { mapAhead, mapBounded, take } from "../bounded.ts";
import { bundleView } from "../bundles/view.ts";
import type { Caller } from "../caller.ts";
import type { World } from "../needs.ts";
import type { PageRequest, PageResult } from "../paging.ts";
import { shownTo } from "./readCases.ts";
import { requireKnown } from "./view.ts";

type Needs = Pick<World, "clock" | "cases" | "stamps">;

/** Bundles that one page looks at, over all stamps of the case: each one's newest, as many of one as of another. */
const mostLookedAt = 2000;
const fewestOfEach = 25;
/** Linked bundles that tell what the case is about. */
const mostSigns = 100;
const readAhead = 16;

/**
 * Bundles of the case's stamps that could be linked and are not, the likeliest first, each with its reasons; of those that are alike, the newest. A
 * page judges all that it looks at and keeps no more than it shows, so the order holds over the pages.
 */
export async function listCandidates(
  world: Needs,
  caller: Caller,
  caseNumber: CaseNumber,
  page: PageRequest,
): Promise<PageResult<CaseBundle>> {
  const record = requireKnown(await world.cases.head(caseNumber), caller);
  const now = world.clock.now();
  const signs = await signsOf(world, record);
  const count = page.top + 1;
  let best: Ranked[] = [];
  for await (const { bundle, sender } of recentBundles(world, record, now)) {
    const candidate = judgeCandidate(bundle, record, signs, now);
    if (candidate === undefined) continue;
    const place = placeOf(bundle, candidate.score);
    if (page.after !== undefined && place <= page.after) continue;
    best.push({ place, bundle, sender, reasons: [...candidate.reasons] });
    if (best.length >= 2 * count) best = inOrder(best).slice(0, count);
  }
  const shown = inOrder(best).slice(0, page.top);
  return {
    value: shown.map(({ bundle, sender, reasons }) =>
      shownTo(caller, caseNumber, { ...bundleView(bundle, sender, now), reasons }),
    ),
    next: best.length > shown.length ? shown.at(-1)?.place : undefined,
  };
}

type Ranked = {
  readonly place: string;
  readonly bundle: BundleRecord;
  readonly sender: SenderRecord;
  readonly reasons: string[];
};

const inOrder = (ranked: readonly Ranked[]): Ranked[] =>
  ranked.toSorted((one, other) => (one.place < other.place ? -1 : 1));

/** A place in the order of the list, that no other bundle has. */
function placeOf({ createdOn, stampId, bundleId }: BundleRecord, score: number): string {
  const unlikely = String(999 - score).padStart(3, "0");
  const old = String(9_999_999_999_999 - Date.parse(createdOn)).padStart(13, "0");
  return `${unlikely}|${old}|${stampId}|${bundleId}`;
}

async function signsOf({ cases, stamps }: Needs, { caseNumber, titleNote }: CaseRecord): Promise<CaseSigns> {
  const [title, { taken }] = await Promise.all([
    titleNote === undefined ? undefined : cases.note(caseNumber, titleNote),
    take(cases.links(caseNumber), mostSigns),
  ]);
  const linked = await mapBounded(taken, readAhead, ({ item }) => stamps.bundle(item.stampId, item.bundleId));
  return { title: title?.text, linked: linked.filter((bundle) => bundle !== undefined) };
}

async function* recentBundles(world: Needs, record: CaseRecord, now: Date) {
  const senders = sendersOf(record);
  const ofEach = Math.max(fewestOfEach, Math.floor(mostLookedAt / Math.max(1, senders.length)));
  for (const stampId of senders) {
    const sender = (await world.stamps.head(stampId)).state;
    if (sender === undefined) continue;
    let left = ofEach;
    const read = mapAhead(world.stamps.history(stampId), readAhead, ({ item }) => world.stamps.bundle(stampId, item));
    for await (const { value: bundle } of read) {
      if (bundle === undefined) continue;
      // They come newest first: what is older has no bytes left either.
      if (left === 0 || Date.parse(bundle.deleteBy) < now.getTime()) break;
      left -= 1;
      yield { bundle, sender };
    }
  }
}
