import { toUtcTime } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import { landingContainerName } from "../../domain/containers.ts";
import { type ArrivedFile, bundleIdOf, contentTypeOf, type DropBoxRecord, fileNameOf } from "../../domain/dropBox.ts";
import { utcDay } from "../../domain/utcDay.ts";
import type { Clock } from "../needs.ts";
import { inServiceTime } from "./inServiceTime.ts";

/** The bundle that a file becomes. It is submitted as it is written: what arrived is whole, and nobody signs for it. Its times are its box's. */
export function arrivedBundle(
  clock: Clock,
  box: DropBoxRecord,
  { path, etag, sizeBytes, writtenOn }: ArrivedFile,
): BundleRecord {
  const bundleId = bundleIdOf(box.stampId, { path, etag });
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
    submittedOn: toUtcTime(clock.now()),
    deleteBy: box.deleteBy,
    purgeOn: box.purgeOn,
    verification: { attempts: 0 },
    consentDecision: box.consentDecision,
    links: [],
    requestDigest: box.requestDigest,
    consentEpoch: box.consentEpoch,
    uploadEpoch: box.uploadEpoch,
    account: box.account,
    // No such container is made: the name tells its work apart, and its bytes land in the box's container.
    landing: landingContainerName(utcDay(new Date(box.createdOn)), {
      stampId: box.stampId,
      bundleId,
      attempt: box.container,
    }),
  };
}
