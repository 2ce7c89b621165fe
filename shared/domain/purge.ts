import type { PurgeBasis } from "../api/bundles.ts";
import type { UtcTime } from "../api/primitives.ts";
import type { BundleRecord } from "./bundle.ts";

/** When and why a bundle's bytes are due for deletion: the earliest reason wins, and nothing postpones (`DOMAIN.md`, promise 4). */

export type PurgeReason = {
  readonly basis: Extract<PurgeBasis, "age" | "erasure" | "caseClosed">;
  readonly on: UtcTime;
};

/** The reasons to delete an accepted or submitted bundle, the earliest first. */
export function purgeReasons(bundle: BundleRecord): PurgeReason[] {
  const reasons: PurgeReason[] = [{ basis: "age", on: bundle.purgeOn }];
  if (bundle.caseClosedDueOn !== undefined) reasons.push({ basis: "caseClosed", on: bundle.caseClosedDueOn });
  if (bundle.erasure !== undefined) reasons.push({ basis: "erasure", on: bundle.erasure.dueOn });
  return reasons.sort((one, other) => Date.parse(one.on) - Date.parse(other.on));
}

/** The first of them. */
export const purgeReason = (bundle: BundleRecord): PurgeReason =>
  purgeReasons(bundle)[0] ?? { basis: "age", on: bundle.purgeOn };

/** When it is due without anybody asking for it: the `purgeOn` that is shown. */
export const shownPurgeOn = (bundle: BundleRecord): UtcTime => {
  const { erasure: _asked, ...rest } = bundle;
  return purgeReason(rest).on;
};

/** Whether its deletion is intended or done, and it came to no other end: what is rejected, canceled or expired is deleted too, and says so by its state. */
const isPurged = ({ state, purge }: BundleRecord): boolean =>
  state === "purged" || (purge !== undefined && (state === "submitted" || state === "accepted"));

/** Nothing is lendable past its `purgeOn`, nor once its erasure is asked for, nor once its deletion is intended, whatever an instance's clock says. */
export const isPurgeDue = (bundle: BundleRecord, now: Date): boolean =>
  isPurged(bundle) || bundle.erasure !== undefined || now.getTime() >= Date.parse(purgeReason(bundle).on);
