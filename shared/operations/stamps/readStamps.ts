import type { Access } from "../../api/bundles.ts";
import type { StampId } from "../../api/primitives.ts";
import type { CollectionOptions, Stamp } from "../../api/stamps.ts";
import type { AccessRecord } from "../../domain/access.ts";
import { optionsFor } from "../../domain/collectionOptions.ts";
import { asStamp } from "../../domain/sender.ts";
import { mapBounded, take } from "../bounded.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import type { Caller } from "../caller.ts";
import { nameOfEngineer } from "../nameOfEngineer.ts";
import type { World } from "../needs.ts";
import { type PageRequest, type PageResult, pageResult, sieve } from "../paging.ts";
import { requireSender, requireStamp } from "../refusals.ts";
import { stampView } from "./view.ts";

type Needs = Pick<World, "clock" | "stamps" | "directory" | "people" | "contents">;

const headOf = async (world: Needs, caller: Caller, stampId: StampId) =>
  caller.kind === "stamp" ? caller.head : await world.stamps.head(stampId);

export async function readStamp(world: Needs, caller: Caller, stampId: StampId): Promise<Stamp> {
  return stampView(requireStamp(await headOf(world, caller, stampId)), world.clock.real());
}

/** In order of stamp id. */
export async function listStamps(world: Needs, page: PageRequest): Promise<PageResult<Stamp>> {
  return await sieve(world.directory.senders(page.after), page.top, async ({ item }) => {
    const stamp = asStamp((await world.stamps.head(item)).state);
    return stamp && stampView(stamp, world.clock.real());
  });
}

/** The flowchart of `SOURCE.md` for this stamp. */
export async function readCollectionOptions(
  world: Needs & Pick<World, "rules">,
  caller: Caller,
  stampId: StampId,
): Promise<CollectionOptions> {
  return optionsFor(requireStamp(await headOf(world, caller, stampId)), world.rules.oldestVersions);
}

/** Who was given access to which bundle, newest first: a pseudonym to the stamp, the object id to an auditor. */
export async function listAccesses(
  world: Needs,
  caller: Caller,
  stampId: StampId,
  page: PageRequest,
): Promise<PageResult<Access>> {
  requireSender(await headOf(world, caller, stampId));
  const { taken, more } = await take(world.stamps.accesses(stampId, page.after), page.top);
  const shown = await mapBounded(taken, 16, async ({ item }) => ({
    ...accessView(item, await nameOfEngineer(world, caller, stampId, item.accessor)),
    ...(await pathShownTo(world, caller, item)),
  }));
  return pageResult(shown, taken, more);
}

/** The customer sees which file of theirs was read for as long as the bundle lives; the path lies beside it and dies with it. */
async function pathShownTo(world: Needs, caller: Caller, access: AccessRecord): Promise<{ readonly path?: string }> {
  if (caller.kind !== "stamp" || access.pathDigest === undefined) return {};
  const bundle = await world.stamps.bundle(access.stampId, access.bundleId);
  if (bundle?.state !== "accepted") return {};
  const lent = await world.contents.lentPath(placeOf(bundle), access.pathDigest);
  return lent === undefined ? {} : { path: lent.path };
}

const accessView = ({ accessId: _accessId, ...access }: AccessRecord, shownAs: string): Access => ({
  ...access,
  accessor: shownAs,
});
