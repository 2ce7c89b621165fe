import { toUtcTime } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import { bundleBlobName, bundleOfBlob, dayContainerName } from "../../domain/containers.ts";
import type { Violation } from "../../domain/violations.ts";
import { DomainError } from "../../errors.ts";
import { all } from "../bounded.ts";
import type { Expiry, HeldDay, World } from "../needs.ts";

type Needs = Pick<World, "schedule" | "stamps" | "storehouse">;

/**
 * Bytes without a row that expects them, and accepted bundles without bytes, of one day's container. Each is looked at again before it is said:
 * a bundle that is just being verified or deleted is for a moment in one place and not in the other.
 */
export async function compareDay(world: Needs, held: HeldDay, now: Date): Promise<Violation[]> {
  const { account, day } = held;
  // The bytes first: a row is written before them and removed after them.
  const stored = withBundle(await all(world.storehouse.blobsIn(account, day)));
  const withoutBytes: Expiry[] = [];
  for await (const expiry of world.schedule.expiring(day)) {
    const name = nameOf(expiry);
    if (stored.get(name)?.includes(name) !== true) withoutBytes.push(expiry);
    stored.delete(name);
  }
  const since = toUtcTime(now);
  const container = dayContainerName(day);
  const found: Violation[] = [];
  for (const expiry of withoutBytes) {
    const lack = await lackOf(world, held, expiry, now);
    if (lack === undefined) continue;
    const { stampId, bundleId } = expiry;
    found.push({ ...lack, since, stampId, bundleId, container });
  }
  for (const name of await unexpected(world, held, stored)) {
    const message = `The blob ${name} is in ${container} and no row expects it.`;
    found.push({ code: "BytesWithoutRow", message, since, container });
  }
  return found;
}

const nameOf = ({ stampId, bundleId }: Pick<Expiry, "stampId" | "bundleId">): string =>
  bundleBlobName({ stampId, bundleId });

/** What is derived from a bundle lies beside it and needs no row of its own: it goes with the bundle's. */
function withBundle(names: readonly string[]): Map<string, string[]> {
  const together = new Map<string, string[]>();
  for (const name of names) {
    const of = bundleOfBlob(name);
    const bundle = of === undefined ? name : bundleBlobName(of);
    together.set(bundle, [...(together.get(bundle) ?? []), name]);
  }
  return together;
}

/** What is wrong with a bundle whose bytes were not seen. A row that cannot be read is a finding, and keeps no other from being compared. */
async function lackOf(
  world: Needs,
  held: HeldDay,
  expiry: Expiry,
  now: Date,
): Promise<Pick<Violation, "code" | "message"> | undefined> {
  try {
    if (!(await lacksBytes(world, held, expiry, now))) return undefined;
    return { code: "RowWithoutBytes", message: "The bundle is accepted and its bytes are not in its container." };
  } catch (error) {
    if (error instanceof DomainError) throw error;
    return { code: "RowUnreadable", message: "The bundle's row cannot be read: find out what wrote it." };
  }
}

/** Still accepted after its bytes were found missing once more. A day that is due loses its bytes before its rows say so. */
async function lacksBytes(world: Needs, held: HeldDay, expiry: Expiry, now: Date): Promise<boolean> {
  if (Date.parse(held.purgeOn) <= now.getTime()) return false;
  const shouldHaveBytes = async () => {
    const bundle = await world.stamps.bundle(expiry.stampId, expiry.bundleId);
    return bundle?.account === held.account && bundle.state === "accepted" && bundle.purge === undefined;
  };
  if (!(await shouldHaveBytes())) return false;
  if (await world.storehouse.holdsBlob(held.account, held.day, nameOf(expiry))) return false;
  return await shouldHaveBytes();
}

/** Those that are still there, still without a row, and of no bundle that is being verified or deleted right now. */
async function unexpected(
  world: Needs,
  held: HeldDay,
  suspects: ReadonlyMap<string, readonly string[]>,
): Promise<string[]> {
  if (suspects.size === 0) return [];
  const still = new Map(suspects);
  for await (const expiry of world.schedule.expiring(held.day)) still.delete(nameOf(expiry));
  const found: string[] = [];
  for (const name of [...still.values()].flat()) {
    const isThere = await world.storehouse.holdsBlob(held.account, held.day, name);
    if (isThere && !isUnderWay(await bundleNamed(world, name))) found.push(name);
  }
  return found;
}

/** Its verification or its deletion will settle what is in its place, and is watched elsewhere. */
const isUnderWay = (bundle: BundleRecord | undefined): boolean =>
  bundle?.state === "submitted" || (bundle?.purge !== undefined && bundle.purge.deletedOn === undefined);

async function bundleNamed({ stamps }: Needs, name: string): Promise<BundleRecord | undefined> {
  const bundle = bundleOfBlob(name);
  return bundle === undefined ? undefined : await stamps.bundle(bundle.stampId, bundle.bundleId);
}
