import type { BundleId, StampId } from "../../api/primitives.ts";
import type { InventoryTaking } from "../../archive/inventory.ts";
import type { AccountFault } from "../../domain/accountFaults.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import { Failures } from "../bounded.ts";

/** The day containers, and what is really in the accounts. */

export type Place = {
  readonly account: string;
  readonly day: UtcDay;
  readonly stampId: StampId;
  readonly bundleId: BundleId;
};

export type CopyState =
  | { readonly status: "pending" | "sourceChanged" | "sourceMissing" }
  | { readonly status: "failed"; readonly etag: string | undefined }
  | { readonly status: "success"; readonly etag: string; readonly sizeBytes: number };

/** The day containers, which only the service writes. */
export type Days = {
  readonly ensure: (account: string, day: UtcDay) => Promise<void>;
  readonly startCopy: (from: { account: string; landing: string; etag: string }, to: Place) => Promise<CopyState>;
  /** The copy as it stands; undefined where there is none. */
  readonly copyState: (place: Place) => Promise<CopyState | undefined>;
  /** Deletes a copy that failed, and not a newer one in its place. */
  readonly discard: (place: Place, etag: string) => Promise<void>;
  /** In order and once; `beside` takes the bytes as they go by, and what it has `kept` of the end is not read again. */
  readonly readAndHash: (
    place: Place,
    version: CopiedVersion,
    beside?: Pick<InventoryTaking, "kept" | "take">,
  ) => Promise<{ sha256: string; head: Uint8Array; tail: Uint8Array }>;
  readonly readUrl: (place: Place, as: { fileName: string; expiresOn: Date }) => Promise<string>;
  /** With all that is derived from it; resolves once it is verified gone. */
  readonly deleteBundle: (place: Place) => Promise<void>;
  /** One deleting call, however many bundles; resolves once it is verified gone. */
  readonly deleteDay: (account: string, day: UtcDay) => Promise<void>;
};

/** A copy as it was when it was looked at. */
export type CopiedVersion = { readonly etag: string; readonly sizeBytes: number };

export type AccountLook = { readonly mayWrite: boolean; readonly signal?: AbortSignal };

/** What is really in the accounts, listed rather than looked up. */
export type Storehouse = {
  readonly accounts: readonly string[];
  /** Those of them that take no new bundles. */
  readonly draining: readonly string[];
  readonly containers: (account: string) => AsyncIterable<string>;
  /** The names of all blobs of a day's container, whatever they are. */
  readonly blobsIn: (account: string, day: UtcDay) => AsyncIterable<string>;
  readonly holdsBlob: (account: string, day: UtcDay, name: string) => Promise<boolean>;
  /** How the account is set up and must not be. Where Resource Manager is not asked, a look that may write a probe sees more. */
  readonly faults: (account: string, look: AccountLook) => Promise<readonly AccountFault[]>;
};

/** The settings do not name the account: nothing can be read, written or deleted there until its entry is back. */
export class AccountMissing extends Error {
  override readonly name = "AccountMissing";
}

/** Whether a failure, or each of several, only says that an account is not configured. */
export function isAccountMissing(error: unknown): boolean {
  if (error instanceof Failures) return error.errors.length === error.count && error.errors.every(isAccountMissing);
  return error instanceof Error && (error instanceof AccountMissing || isAccountMissing(error.cause));
}
