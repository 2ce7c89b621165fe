import { toUtcTime } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import { landingContainerName } from "../../domain/containers.ts";
import { type ArrivedFile, bundleIdOf, contentTypeOf, type DropBoxRecord, fileNameOf } from "../../domain/dropBox.ts";
import { utcDay } from "../../domain/utcDay.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import type { World } from "../needs.ts";
import { inServiceTime } from "./inServiceTime.ts";

/** A file whose bytes are where no URL of its box can write, and the bundle that it becomes. */
export type CopiedFile = { readonly bundle: BundleRecord; readonly path: string };

/** Copies the version of a file that was listed into the day container of its box; its expiry row comes first (invariant 2). Repeating it is safe. */
export async function copyFile(
  world: Pick<World, "boxes" | "clock" | "days" | "schedule">,
  box: DropBoxRecord,
  file: ArrivedFile,
): Promise<CopiedFile | "pending" | "changed"> {
  const bundle = bundleOf(world, box, file);
  await world.schedule.expire(bundle);
  const { account, container } = box;
  const copy = await world.boxes.copy({ account, container, path: file.path, etag: file.etag }, placeOf(bundle));
  switch (copy.status) {
    case "success":
      return { bundle: { ...bundle, sizeBytes: copy.sizeBytes }, path: file.path };
    case "failed":
      if (copy.etag !== undefined) await world.days.discard(placeOf(bundle), copy.etag);
      return "pending";
    case "pending":
      return "pending";
    default:
      await world.schedule.unexpire(bundle);
      return "changed";
  }
}

/** Submitted as it is written: what arrived is whole, and nobody signs for it. Its times are its box's. */
function bundleOf(
  { clock }: Pick<World, "clock">,
  box: DropBoxRecord,
  { path, etag, sizeBytes, writtenOn }: ArrivedFile,
): BundleRecord {
  const bundleId = bundleIdOf(box.stampId, { path, etag });
  const now = clock.now();
  return {
    stampId: box.stampId,
    bundleId,
    mode: "dropBox",
    state: "submitted",
    fileName: fileNameOf(path),
    contentType: contentTypeOf(path),
    sizeBytes,
    caseNumber: box.caseNumber,
    collectedOn: toUtcTime(inServiceTime(clock, writtenOn)),
    ...(box.stampVersion === undefined ? {} : { stampVersion: box.stampVersion }),
    createdOn: box.createdOn,
    submittedOn: toUtcTime(now),
    deleteBy: box.deleteBy,
    purgeOn: box.purgeOn,
    verification: { attempts: 0 },
    consentDecision: box.consentDecision,
    links: [],
    requestDigest: box.requestDigest,
    consentEpoch: box.consentEpoch,
    uploadEpoch: box.uploadEpoch,
    account: box.account,
    // A container that never was: the file landed in its box's, which goes before any of its bundles could.
    landing: landingContainerName(utcDay(new Date(box.createdOn)), {
      stampId: box.stampId,
      bundleId,
      attempt: box.container,
    }),
  };
}
