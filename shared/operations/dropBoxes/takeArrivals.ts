import { createHash } from "node:crypto";
import type { BundleId } from "../../api/primitives.ts";
import {
  type ArrivedFile,
  bundleIdOf,
  type DropBoxRecord,
  isZip,
  type RefusedFile,
  refusalOf,
} from "../../domain/dropBox.ts";
import { mayStartCopy } from "../../domain/retention.ts";
import { utcDay } from "../../domain/utcDay.ts";
import { mapBounded } from "../bounded.ts";
import type { World } from "../needs.ts";
import { copyFile } from "./copyFile.ts";
import { bundlesOfBox } from "./dropStrays.ts";
import { writeBundles } from "./writeBundles.ts";

/** What arrived in a drop box becomes bundles: copied first, then written, so that no bundle is without its bytes. */

/** Files looked at together, and the bundles of one commit: each takes up to five of a transaction's hundred rows. */
const filesPerCommit = 16;
const filesAtOnce = 8;

type Arrived = Omit<NonNullable<DropBoxRecord["emptied"]>, "listing">;

/** What a round has seen so far: the bundles that the box has, and what becomes of the files of the listing. */
type Tally = {
  readonly taken: Set<BundleId>;
  readonly refused: Map<RefusedFile, number>;
  bytes: number;
};

/** A digest of all that the container holds: the same as long as nothing is written. */
export async function listingOf({ boxes }: Pick<World, "boxes">, box: DropBoxRecord): Promise<string> {
  const digest = createHash("sha256");
  for await (const { path, etag } of boxes.files(box.account, box.container))
    digest.update(JSON.stringify([path, etag]));
  return digest.digest("hex");
}

/**
 * One round through the container, zips first: each file is a bundle already, becomes one, or is refused. Keeps a page of the listing and the
 * ids of the box's bundles in memory. Undefined where time (`until`, real) or a copy was not over at the end.
 */
export async function takeArrivals(world: World, box: DropBoxRecord, until: number): Promise<Arrived | undefined> {
  const day = utcDay(new Date(box.createdOn));
  await world.schedule.holdDay({ day, account: box.account, purgeOn: box.purgeOn });
  await world.days.ensure(box.account, day);
  const tally: Tally = { taken: await bundlesOfBox(world, box.stampId), refused: new Map(), bytes: 0 };
  let allCopied = true;
  for (const zips of [true, false]) {
    const files = ofKind(world.boxes.files(box.account, box.container), zips);
    for await (const some of groups(files, filesPerCommit)) {
      if (world.clock.real().getTime() >= until) return undefined;
      if (!(await takeSome(world, box, some, tally))) allCopied = false;
    }
  }
  const refused = [...tally.refused].map(([code, files]) => ({ code, files }));
  return allCopied ? { files: tally.taken.size, bytes: tally.bytes, refused } : undefined;
}

/** Whether each of them is a bundle or refused now; a copy that takes its time is asked for again in the next turn. */
async function takeSome(
  world: World,
  box: DropBoxRecord,
  files: readonly ArrivedFile[],
  tally: Tally,
): Promise<boolean> {
  const copies = await mapBounded(wanted(world, box, files, tally), filesAtOnce, (file) => copyFile(world, box, file));
  const copied = copies.filter((each) => typeof each === "object");
  if (copied.length > 0) await writeBundles(world, box, copied);
  for (const { bundle } of copied) {
    tally.taken.add(bundle.bundleId);
    tally.bytes += bundle.sizeBytes;
  }
  for (const each of copies) if (each === "changed") refuse(tally, "FileChanged");
  return !copies.includes("pending");
}

/** The files that are to become bundles; the others are counted. */
function wanted(world: World, box: DropBoxRecord, files: readonly ArrivedFile[], tally: Tally): ArrivedFile[] {
  const limits = { ...world.rules, mayStartCopy: mayStartCopy(box, world.clock.now()) };
  const list: ArrivedFile[] = [];
  for (const file of files) {
    if (tally.taken.has(bundleIdOf(box.stampId, file))) {
      tally.bytes += file.sizeBytes;
      continue;
    }
    const refusal = refusalOf(file, tally.taken.size + list.length, limits);
    if (refusal === undefined) list.push(file);
    else refuse(tally, refusal);
  }
  return list;
}

function refuse({ refused }: Tally, code: RefusedFile): void {
  refused.set(code, (refused.get(code) ?? 0) + 1);
}

async function* ofKind(files: AsyncIterable<ArrivedFile>, zips: boolean): AsyncGenerator<ArrivedFile> {
  for await (const file of files) if (isZip(file) === zips) yield file;
}

async function* groups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
