import type { BundleRecord } from "../../domain/bundle.ts";
import type { ArrivedFile, DropBoxRecord } from "../../domain/dropBox.ts";
import { mayStartCopy } from "../../domain/retention.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import { rejectBundle } from "../bundles/rejectBundle.ts";
import type { CopyState, World } from "../needs.ts";

/** Until it is copied; one that ended needs no copy. */
export const waitsForCopy = ({ state, purge }: BundleRecord): boolean => state === "submitted" && purge === undefined;

/**
 * Copies a bundle's version of its file out of the box; `file` is undefined where the box holds another version by now. Gives the bundle where it
 * waits no more, and undefined where it has to be asked for again. Repeating it is safe.
 */
export async function copyArrival(
  world: World,
  box: DropBoxRecord,
  bundle: BundleRecord,
  file: ArrivedFile | undefined,
): Promise<BundleRecord | undefined> {
  const standing = await world.days.copyState(placeOf(bundle));
  const copy = standing ?? (await startCopy(world, box, bundle, file));
  switch (copy.status) {
    case "success":
      return bundle;
    case "pending":
    // The next list tells whether it is really gone.
    case "sourceMissing":
      return undefined;
    case "failed":
      if (copy.etag !== undefined) await world.days.discard(placeOf(bundle), copy.etag);
      return undefined;
    case "tooLate":
      return await rejectBundle(world, bundle, {
        code: "Unverifiable",
        message: "The service could not copy the file in the time in which it may be. Send the logs again.",
      });
    case "sourceChanged":
      return await rejectBundle(world, bundle, {
        code: "BlobChanged",
        message: "The file was overwritten before it could be copied. What replaced it is a bundle of its own.",
      });
  }
}

/** Its expiry row comes before the first byte of the copy (invariant 2). */
async function startCopy(
  world: World,
  { account, container }: DropBoxRecord,
  bundle: BundleRecord,
  file: ArrivedFile | undefined,
): Promise<CopyState | { readonly status: "tooLate" }> {
  if (file === undefined) return { status: "sourceChanged" };
  if (!mayStartCopy(bundle, world.clock.now())) return { status: "tooLate" };
  const { stampId, bundleId, createdOn } = bundle;
  await world.schedule.expire({ stampId, bundleId, createdOn });
  return await world.boxes.copy({ account, container, path: file.path, etag: file.etag }, placeOf(bundle));
}
