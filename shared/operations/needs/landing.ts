import type { BundleId, StampId } from "../../api/primitives.ts";
import type { ArrivedFile } from "../../domain/dropBox.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import type { CopyState, Place } from "./days.ts";

/** The landing side of the storage accounts. */

export type LandedBlob = {
  readonly etag: string;
  readonly sizeBytes: number;
  /** Why it cannot be verified, in words; undefined where it can. */
  readonly unusable: string | undefined;
};

/** The landing side of the storage accounts: what a stamp's URL can write. */
export type Landing = {
  readonly place: (stampId: StampId, geography: string) => string;
  readonly containerName: (of: { stampId: StampId; bundleId: BundleId; attempt: string; day: UtcDay }) => string;
  readonly create: (account: string, landing: string) => Promise<void>;
  /** The container for a stamp's test writes in the hour that begins then. */
  readonly probeName: (stampId: StampId, hour: Date) => string;
  /** Makes the container where it is not there. */
  readonly ensure: (account: string, landing: string) => Promise<void>;
  readonly uploadUrl: (account: string, landing: string, expiresOn: Date) => Promise<string>;
  readonly landed: (account: string, landing: string) => Promise<LandedBlob | undefined>;
  readonly stagedBlocks: (account: string, landing: string) => Promise<readonly { id: string; sizeBytes: number }[]>;
  readonly isThere: (account: string, landing: string) => Promise<boolean>;
  /** Resolves once it is verified gone: no URL that was issued can write any more. */
  readonly delete: (account: string, landing: string) => Promise<void>;
};

/** The containers of drop boxes, which whoever has a box's URL can write and read. */
export type Boxes = {
  /** Makes the container where it is missing. */
  readonly ensure: (account: string, container: string) => Promise<void>;
  readonly url: (account: string, container: string, expiresOn: Date) => Promise<string>;
  /** In the order of their paths; none where the container is gone. */
  readonly files: (account: string, container: string) => AsyncIterable<ArrivedFile>;
  /** Resolves once it is verified gone: no URL that was issued can write any more. */
  readonly delete: (account: string, container: string) => Promise<void>;
  readonly copy: (
    from: { account: string; container: string; path: string; etag: string },
    to: Place,
  ) => Promise<CopyState>;
};
