import { createHash } from "node:crypto";
import * as z from "zod";
import type { BundleState } from "../api/bundles.ts";
import { type UtcTime, utcTime } from "../api/primitives.ts";
import { type UtcDay, utcDay, utcDaySchema } from "./utcDay.ts";

/**
 * What a stamp has on its way and has begun today. It stands in the head of its partition and moves in the very transaction that creates or
 * ends an upload, so that it costs no call and two creates at once cannot both find room.
 */
export const stampLoad = z.object({
  /** Bundles that are `created`. */
  openUploads: z.int(),
  /** The UTC day that the next two count. */
  day: utcDaySchema.optional(),
  bundles: z.int(),
  bytes: z.int(),
  /** When a bundle was last created for a fault, by a digest of its id: the list of faults is open, so an id may be any text. */
  faults: z.array(z.object({ fault: z.string(), on: utcTime })),
  /** The bundles that were created last, by the first part of their ids: a create whose answer was lost is mostly repeated soon. */
  recent: z.array(z.string()).default([]),
});
export type StampLoad = z.infer<typeof stampLoad>;

export const noLoad: StampLoad = { openUploads: 0, bundles: 0, bytes: 0, faults: [], recent: [] };

/** The longest quiet time that can be configured: older faults need not be remembered. */
export const longestQuietMinutes = 24 * 60;

/** A stamp that has more different faults in a day is stopped by the count of its bundles. */
const mostFaults = 100;

/** How many bundles are remembered as just created. */
const mostRecent = 16;

const shortId = (bundleId: string): string => bundleId.slice(0, 8);

/** Whether the stamp may have created that bundle a moment ago. */
export const isRecent = ({ recent }: StampLoad, bundleId: string): boolean => recent.includes(shortId(bundleId));

/** What of a bundle's row counts. */
type Begun = {
  readonly bundleId: string;
  readonly createdOn: UtcTime;
  readonly sizeBytes: number;
  readonly trigger?: { readonly faultId: string } | undefined;
};
type Standing = { readonly state: BundleState };
type Moved = { readonly from: Standing; readonly to: Standing };

/** Whether the change takes the bundle off the stamp's open uploads. */
export const leavesOpen = ({ from, to }: Moved): boolean => from.state === "created" && to.state !== "created";

/** The load after a transaction that inserts these bundles and moves those. */
export function loadAfter(
  load: StampLoad,
  { insert = [], update = [] }: { readonly insert?: readonly Begun[]; readonly update?: readonly Moved[] },
): StampLoad {
  const ended = update.filter(leavesOpen).length;
  const rest = ended === 0 ? load : { ...load, openUploads: Math.max(0, load.openUploads - ended) };
  return insert.reduce(withNew, rest);
}

function withNew(load: StampLoad, { bundleId, createdOn, sizeBytes, trigger }: Begun): StampLoad {
  const day = utcDay(new Date(createdOn));
  const today = countedOn(load, day);
  return {
    openUploads: load.openUploads + 1,
    day,
    bundles: today.bundles + 1,
    bytes: today.bytes + sizeBytes,
    faults: trigger === undefined ? load.faults : withFault(load.faults, trigger.faultId, createdOn),
    recent: [shortId(bundleId), ...load.recent].slice(0, mostRecent),
  };
}

function withFault(faults: StampLoad["faults"], faultId: string, on: UtcTime): StampLoad["faults"] {
  const fault = faultDigest(faultId);
  const oldest = Date.parse(on) - longestQuietMinutes * 60_000;
  const others = faults.filter((each) => each.fault !== fault && Date.parse(each.on) > oldest);
  return [{ fault, on }, ...others].slice(0, mostFaults);
}

/** Bundles and bytes that were begun on the day. */
export const countedOn = (load: StampLoad, day: UtcDay): { readonly bundles: number; readonly bytes: number } =>
  load.day === day ? { bundles: load.bundles, bytes: load.bytes } : { bundles: 0, bytes: 0 };

/** When a bundle was last created for the fault, as far as that matters. */
export const lastFor = (load: StampLoad, faultId: string): UtcTime | undefined =>
  load.faults.find((each) => each.fault === faultDigest(faultId))?.on;

const faultDigest = (faultId: string): string => createHash("sha256").update(faultId).digest("hex").slice(0, 16);
