import type { Access } from "../../api/bundles.ts";
import type { UtcTime } from "../../api/primitives.ts";
import { accessOf, type LedgerAccess } from "../../domain/access.ts";
import { mapBounded, take } from "../bounded.ts";
import type { AuditWorld } from "../needs.ts";
import type { PageRequest, PageResult } from "../paging.ts";
import { readNotYetFolded } from "./countBundles.ts";

type Needs = Pick<AuditWorld, "accessIndex" | "clock" | "events" | "people" | "rollups" | "schedule">;

export type Period = { readonly from?: UtcTime | undefined; readonly to?: UtcTime | undefined };

/** Every access, newest first, with who it was: what is folded into the index, and what the ledger has had since. */
export async function listAllAccesses(
  world: Needs,
  page: PageRequest,
  { from, to }: Period,
): Promise<PageResult<Access>> {
  const start = page.after ?? (to === undefined ? undefined : world.accessIndex.placeBefore(to));
  const inPeriod = until(merged(world, await pending(world, start), start), from);
  const { taken, more } = await take(inPeriod, page.top);
  const value = await mapBounded(taken, 16, ({ item }) => shown(world, item));
  return { value, next: more ? taken.at(-1)?.cursor : undefined };
}

type Placed = { readonly cursor: string; readonly item: LedgerAccess };

/** In the order of the index: what the fold has not reached yet. */
async function pending(world: Needs, start: string | undefined): Promise<Placed[]> {
  const tails = await readNotYetFolded(world, world.clock.now());
  return tails
    .flatMap((events) => events.map(accessOf))
    .filter((access) => access !== undefined)
    .map((item) => ({ cursor: world.accessIndex.placeOf(item), item }))
    .filter(({ cursor }) => start === undefined || cursor > start)
    .sort((a, b) => (a.cursor < b.cursor ? -1 : 1));
}

/** Both in one order; what a fold has moved meanwhile from one to the other is told once. */
async function* merged(
  { accessIndex }: Pick<AuditWorld, "accessIndex">,
  waiting: Placed[],
  start: string | undefined,
): AsyncGenerator<Placed> {
  let at = 0;
  for await (const folded of accessIndex.list(start)) {
    for (let next = waiting[at]; next !== undefined && next.cursor <= folded.cursor; next = waiting[at]) {
      if (next.cursor < folded.cursor) yield next;
      at += 1;
    }
    yield folded;
  }
  yield* waiting.slice(at);
}

async function* until(accesses: AsyncIterable<Placed>, from: UtcTime | undefined): AsyncGenerator<Placed> {
  for await (const access of accesses) {
    if (from !== undefined && Date.parse(access.item.on) < Date.parse(from)) return;
    yield access;
  }
}

async function shown(
  { people }: Pick<AuditWorld, "people">,
  { seq: _seq, accessor, ...access }: LedgerAccess,
): Promise<Access> {
  return { ...access, accessor: (await people.whois(accessor))?.identity ?? accessor };
}
