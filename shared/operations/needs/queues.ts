import type { BundleId, DropBoxId, StampId } from "../../api/primitives.ts";
import type { UtcDay } from "../../domain/utcDay.ts";

/** Work that is done later. */

/** Asks for the verification of a bundle, or for the emptying of a drop box that is closing. */
export type VerificationQueue = {
  readonly send: (
    message: { stampId: StampId; bundleId: BundleId } | { dropBoxId: DropBoxId },
    delaySeconds?: number,
  ) => Promise<void>;
};

/** Files that are too large to be taken out while their reader waits. */
export type ExtractionQueue = {
  readonly send: (message: { stampId: StampId; bundleId: BundleId; digest: string; lentOn: UtcDay }) => Promise<void>;
};
