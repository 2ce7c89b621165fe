import type { BundleId } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import {
  type ArrivedFile,
  bundleIdOf,
  type DropBoxRecord,
  isZip,
  type RefusedFile,
  refusalOf,
  takesArrivals,
} from "../../domain/dropBox.ts";
import { mayStartCopy } from "../../domain/retention.ts";
import { utcDay } from "../../domain/utcDay.ts";
import { groupsOf, mapBounded } from "../bounded.ts";
import type { World } from "../needs.ts";
import type { BoxTurn } from "./boxTurn.ts";
import { copyArrival, waitsForCopy } from "./copyArrival.ts";
import { writeBundles } from "./writeBundles.ts";

/** What arrived in a drop box becomes bundles: written first, then copied. */

/** Files looked at together, and the bundles of one commit: each takes up to five of a transaction's hundred rows. */
const filesPerCommit = 16;
const filesAtOnce = 8;

/** The bundles of a box as one turn knows them, and which of them wait for their copy. */
export type BoxBundles = { readonly all: Map<BundleId, BundleRecord>; readonly waiting: Set<BundleId> };

/** Keeps as many bundles in memory as a box may have. */
export async function bundlesOf({ stamps }: Pick<World, "stamps">, { stampId }: DropBoxRecord): Promise<BoxBundles> {
  const ids: BundleId[] = [];
  for await (const { item } of stamps.history(stampId)) ids.push(item);
  const rows = (await mapBounded(ids, 16, (id) => stamps.bundle(stampId, id))).filter((row) => row !== undefined);
  return {
    all: new Map(rows.map((row) => [row.bundleId, row])),
    waiting: new Set(rows.filter(waitsForCopy).map((row) => row.bundleId)),
  };
}

export type Round = {
  /** Nothing was new. */
  readonly isQuiet: boolean;
  readonly refused: ReadonlyMap<RefusedFile, number>;
};

/**
 * One round through the container, zips first: each file is a bundle already, becomes one, or is refused; those that wait are copied. Undefined where
 * the turn is over (`until`, real time) before the list is.
 */
export async function takeArrivals(
  world: World,
  turn: BoxTurn,
  box: DropBoxRecord,
  bundles: BoxBundles,
  until: number,
): Promise<Round | undefined> {
  const day = utcDay(new Date(box.createdOn));
  await world.schedule.holdDay({ day, account: box.account, purgeOn: box.purgeOn });
  await world.days.ensure(box.account, day);
  const refused = new Map<RefusedFile, number>();
  const listed = new Set<BundleId>();
  let isQuiet = true;
  for (const zips of [true, false]) {
    for await (const files of groupsOf(ofKind(world.boxes.files(box.account, box.container), zips), filesPerCommit)) {
      if (world.clock.real().getTime() >= until) return undefined;
      const arrived = files.map((file) => ({ file, bundleId: bundleIdOf(box.stampId, file) }));
      const fresh = freshOf(world, box, arrived, bundles, refused);
      if (fresh.length > 0) {
        isQuiet = false;
        for (const bundle of await writeBundles(world, turn, box, fresh)) {
          bundles.all.set(bundle.bundleId, bundle);
          bundles.waiting.add(bundle.bundleId);
        }
      }
      for (const { bundleId } of arrived) listed.add(bundleId);
      await mapBounded(arrived, filesAtOnce, ({ file, bundleId }) => copy(world, box, bundles, bundleId, file));
    }
  }
  const overwritten = [...bundles.waiting].filter((id) => !listed.has(id));
  await mapBounded(overwritten, filesAtOnce, (id) => copy(world, box, bundles, id, undefined));
  return { isQuiet, refused };
}

type Arrived = { readonly file: ArrivedFile; readonly bundleId: BundleId };

/** The files that are to become bundles; those that are refused are counted. */
function freshOf(
  world: World,
  box: DropBoxRecord,
  arrived: readonly Arrived[],
  { all }: BoxBundles,
  refused: Map<RefusedFile, number>,
): ArrivedFile[] {
  const now = world.clock.now();
  const limits = { ...world.rules, isInTime: takesArrivals(box, now) && mayStartCopy(box, now) };
  const fresh: ArrivedFile[] = [];
  for (const { file, bundleId } of arrived) {
    const standing = all.get(bundleId);
    const refusal =
      standing === undefined
        ? refusalOf(file, all.size + fresh.length, limits)
        : standing.rejection?.code === "BlobChanged"
          ? "FileChanged"
          : undefined;
    if (refusal !== undefined) refused.set(refusal, (refused.get(refusal) ?? 0) + 1);
    else if (standing === undefined) fresh.push(file);
  }
  return fresh;
}

/** A file that fails leaves the others to go on, and waits for the next round. */
async function copy(
  world: World,
  box: DropBoxRecord,
  { all, waiting }: BoxBundles,
  bundleId: BundleId,
  file: ArrivedFile | undefined,
): Promise<void> {
  const bundle = all.get(bundleId);
  if (bundle === undefined || !waiting.has(bundleId)) return;
  try {
    const done = await copyArrival(world, box, bundle, file);
    if (done === undefined) return;
    all.set(bundleId, done);
    waiting.delete(bundleId);
  } catch (error) {
    world.log.error("dropBox.copyLater", error, { dropBoxId: box.dropBoxId, bundleId });
  }
}

async function* ofKind(files: AsyncIterable<ArrivedFile>, zips: boolean): AsyncGenerator<ArrivedFile> {
  for await (const file of files) if (isZip(file) === zips) yield file;
}
