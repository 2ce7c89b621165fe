import type { BlobServiceClient } from "@azure/storage-blob";
import { getBlob } from "../support/system/storage.ts";
import type { KnownBundle } from "./known.ts";
import { type Simulation, throughUrl } from "./simulation.ts";

/** Lists every container of the account, blob by blob, snapshots and uncommitted blobs too, and knows by itself when each was created. */

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Days between the purge and the line that nothing outlives. */
const graceDays = 10;
/** Days that a container which others write to may be there: an upload has 48 hours, a drop box 72; sweeper and outages take the rest. */
const longestWritable = new Map([
  ["landing", 6],
  ["box", 7],
]);
/** What was lent in parts on a day goes with that day; its last URL may live a little into the next. */
const lentHours = 24 + 1;

export type Sight = { readonly container: string; readonly blobs: readonly string[] };

export type Observer = {
  /** Throws where anything is older than it may be, or is of nobody. */
  readonly look: () => Promise<readonly Sight[]>;
  readonly seen: { looks: number; listed: number; oldestDays: number };
};

export function openObserver(simulation: Simulation): Observer {
  const hardLineDays = simulation.size.purgeAfterDays + graceDays;
  const seen = { looks: 0, listed: 0, oldestDays: 0 };
  return {
    seen,
    look: async () => {
      const now = simulation.time.now().getTime();
      const sights = await everything(simulation.stage().blobs);
      for (const { container, blobs } of sights) {
        const day = dayIn(container);
        const writableDays = longestWritable.get(kindOf(container));
        if (writableDays !== undefined) noteAge(seen, container, now, day, writableDays);
        if (kindOf(container) === "lent") requireLentInTime(simulation, container, day);
        for (const name of blobs) {
          const bundle = ownerOf(simulation, container, name);
          noteAge(seen, `${container}/${name}`, now, bundle === undefined ? day : createdOf(bundle), hardLineDays);
        }
        // Bundles of one day may be a day apart.
        if (blobs.length > 0) noteAge(seen, container, now, day + dayMs, hardLineDays);
      }
      await readNothingOld(simulation, now, hardLineDays);
      seen.looks += 1;
      seen.listed += sights.reduce((sum, { blobs }) => sum + blobs.length, 0);
      return sights;
    },
  };
}

async function everything(account: BlobServiceClient): Promise<Sight[]> {
  const sights: Sight[] = [];
  for await (const { name } of account.listContainers()) {
    const listed = account
      .getContainerClient(name)
      .listBlobsFlat({ includeSnapshots: true, includeUncommitedBlobs: true });
    const blobs: string[] = [];
    for await (const blob of listed) blobs.push(blob.name);
    sights.push({ container: name, blobs });
  }
  return sights;
}

const kindOf = (container: string): string => container.slice(0, container.indexOf("-"));

/** A purge that went through has dropped every day of lending that was over when it began. */
function requireLentInTime({ known: { purgedOn = 0 } }: Simulation, container: string, day: number): void {
  if (purgedOn >= day + lentHours * hourMs)
    throw new Error(`${container} outlived the purge of ${new Date(purgedOn).toISOString()}`);
}

/** The start of the day that a container's name says, as `bundles-20270301` or `landing-20270301-…` does. */
function dayIn(container: string): number {
  const [, year, month, day] = /^[a-z]+-(\d{4})(\d\d)(\d\d)(?:-|$)/.exec(container) ?? [];
  const start = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  if (Number.isNaN(start)) throw new Error(`Container ${container} says of no day that its bytes are of`);
  return start;
}

/** Whose bytes they are; undefined where their container alone tells how old they are. */
function ownerOf(simulation: Simulation, container: string, blob: string): KnownBundle | undefined {
  switch (kindOf(container)) {
    case "bundles":
      return ownerInDay(simulation, container, blob);
    case "lent":
      return ownerByName(simulation, container, blob);
    case "landing":
      // Nobody may know, where its create died.
      return simulation.known.landings.get(container);
    case "box":
      return undefined;
    default:
      throw new Error(`Nobody knows what ${container} is for`);
  }
}

/** What is derived from a bundle lies under its name and more. */
function ownerByName({ known }: Simulation, container: string, blob: string): KnownBundle {
  const [stampId = "", bundleId = ""] = blob.split(/[/.]/);
  const bundle = known.bundles.get(bundleId);
  if (bundle?.stampId !== stampId) throw new Error(`${container}/${blob} is of no bundle that anybody asked for`);
  return bundle;
}

function ownerInDay(simulation: Simulation, container: string, blob: string): KnownBundle {
  const bundle = ownerByName(simulation, container, blob);
  if (bundle.createdOn !== undefined && dayIn(container) !== Math.floor(bundle.createdOn / dayMs) * dayMs)
    throw new Error(`${container}/${blob} is not in the container of its day`);
  return bundle;
}

/** A bundle whose creation was not acknowledged is at least as old as the first wish for it says. */
export const createdOf = ({ createdOn, askedOn }: KnownBundle): number => createdOn ?? askedOn;

function noteAge(seen: Observer["seen"], what: string, now: number, since: number, mostDays: number): void {
  const days = (now - since) / dayMs;
  seen.oldestDays = Math.max(seen.oldestDays, days);
  if (days >= mostDays) throw new Error(`${what} is ${days.toFixed(2)} days old on ${new Date(now).toISOString()}`);
}

/** Whatever was lent once: past the line no URL reads it, whether it still holds or not. */
async function readNothingOld(simulation: Simulation, now: number, hardLineDays: number): Promise<void> {
  const old = simulation.known.urls.filter(({ bundle }) => now - createdOf(bundle) >= hardLineDays * dayMs);
  for (const { url, bundle } of old) {
    const { status } = await throughUrl(simulation, () => getBlob(url));
    if (status === 200) throw new Error(`Bundle ${bundle.bundleId} is readable past day ${hardLineDays}`);
  }
  const read = new Set(old);
  simulation.known.urls.splice(0, Number.POSITIVE_INFINITY, ...simulation.known.urls.filter((each) => !read.has(each)));
}
