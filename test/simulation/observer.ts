import type { BlobServiceClient } from "@azure/storage-blob";
import { getBlob } from "../support/system/storage.ts";
import type { KnownBundle } from "./known.ts";
import { type Simulation, throughUrl } from "./simulation.ts";

/** Lists every container of the account, blob by blob, snapshots and uncommitted blobs too, and knows by itself when each was created. */

const dayMs = 86_400_000;
/** Days between the purge and the line that nothing outlives. */
const graceDays = 10;
/** An upload has 48 hours; verification, sweeper and their outages take the rest. */
const longestLandingDays = 6;

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
        if (container.startsWith("landing-")) noteAge(seen, container, now, day, longestLandingDays);
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

/** The start of the day that a container's name says, as `bundles-20270301` or `landing-20270301-…` does. */
function dayIn(container: string): number {
  const [, year, month, day] = /^[a-z]+-(\d{4})(\d\d)(\d\d)(?:-|$)/.exec(container) ?? [];
  const start = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  if (Number.isNaN(start)) throw new Error(`Container ${container} says of no day that its bytes are of`);
  return start;
}

/** Whose bytes they are; of a landing container nobody may know, where its create died. */
function ownerOf({ known }: Simulation, container: string, blob: string): KnownBundle | undefined {
  if (!container.startsWith("bundles-")) return known.landings.get(container);
  // What is derived from a bundle lies beside it, under its name and an ending.
  const [name = ""] = blob.split(".");
  const bundle = known.bundles.get(name.split("/").at(-1) ?? "");
  if (bundle === undefined || name !== `${bundle.stampId}/${bundle.bundleId}`)
    throw new Error(`${container}/${blob} is no bundle that anybody asked for`);
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
async function readNothingOld({ known }: Simulation, now: number, hardLineDays: number): Promise<void> {
  const old = known.urls.filter(({ bundle }) => now - createdOf(bundle) >= hardLineDays * dayMs);
  for (const { url, bundle } of old) {
    const { status } = await throughUrl(() => getBlob(url));
    if (status === 200) throw new Error(`Bundle ${bundle.bundleId} is readable past day ${hardLineDays}`);
  }
  const read = new Set(old);
  known.urls.splice(0, Number.POSITIVE_INFINITY, ...known.urls.filter((each) => !read.has(each)));
}
