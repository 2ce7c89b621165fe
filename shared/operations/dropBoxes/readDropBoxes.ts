import type { DropBox } from "../../api/dropBoxes.ts";
import type { CaseNumber } from "../../api/primitives.ts";
import { senderOf } from "../../domain/dropBox.ts";
import type { Caller } from "../caller.ts";
import { requireKnown } from "../cases/view.ts";
import type { World } from "../needs.ts";
import { type PageRequest, type PageResult, sieve } from "../paging.ts";
import { asDropBox, type DropBoxPlace, dropBoxView, requireDropBox } from "./view.ts";

type Needs = Pick<World, "cases" | "clock" | "people" | "stamps">;

export async function readDropBox(world: Needs, caller: Caller, place: DropBoxPlace): Promise<DropBox> {
  requireKnown(await world.cases.head(place.caseNumber), caller);
  return await dropBoxView(world, requireDropBox(await world.stamps.head(senderOf(place.dropBoxId)), place));
}

/** In the order of their ids. */
export async function listDropBoxes(
  world: Needs,
  caller: Caller,
  caseNumber: CaseNumber,
  page: PageRequest,
): Promise<PageResult<DropBox>> {
  const { dropBoxIds } = requireKnown(await world.cases.head(caseNumber), caller);
  const rest = [...dropBoxIds].sort().filter((each) => page.after === undefined || each > page.after);
  return await sieve(placesOf(rest), page.top, async ({ cursor }) => {
    const box = asDropBox(await world.stamps.head(senderOf(cursor)));
    return box && (await dropBoxView(world, box));
  });
}

async function* placesOf<Id extends string>(ids: readonly Id[]): AsyncGenerator<{ readonly cursor: Id }> {
  for (const cursor of ids) yield { cursor };
}
