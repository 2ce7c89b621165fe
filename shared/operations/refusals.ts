import type { BundleState } from "../api/bundles.ts";
import { stampIsEnabled } from "../domain/creation.ts";
import { requireKeyAsOf } from "../domain/custody.ts";
import { asStamp, type SenderRecord } from "../domain/sender.ts";
import { isRetired, type StampRecord } from "../domain/stamp.ts";
import { DomainError } from "../errors.ts";
import type { SendingCaller } from "./caller.ts";
import type { Clock, StampHead } from "./needs.ts";

/** Refusals that several operations give. */

export const noSuchStamp = () =>
  new DomainError("NotFound", "There is no such stamp. Check the stampId (the Stamp Cloud ID), or register it.");

export const noSuchBundle = () =>
  new DomainError(
    "NotFound",
    "There is no such bundle of this stamp. Check the bundleId, or create it (PUT …/bundles/{bundleId}).",
  );

export const noErasure = () =>
  new DomainError(
    "NotFound",
    "No erasure of this bundle is asked for, or it was taken back (POST …:erase asks for one).",
  );

export const noSuchCase = () =>
  new DomainError("NotFound", "There is no such case, or it is not assigned to you. Check the case number.");

export const noSuchGrant = () =>
  new DomainError("NotFound", "There is no such access grant on this case. Check the grantId.");

export const noSuchDropBox = () =>
  new DomainError("NotFound", "There is no such drop box of this case. Check the dropBoxId, or open one with PUT.");

export const caseNotOpen = (message: string) => new DomainError("CaseNotOpen", message);

export const noSuchRequest = () =>
  new DomainError(
    "NotFound",
    "This stamp was not asked to approve that access. List what it was asked (GET …/accessRequests).",
  );

/** The action is not for a bundle in that state; `details` name the state. */
export const invalidState = (state: BundleState, message: string) =>
  new DomainError("InvalidState", message, { details: [{ code: state, message: `The bundle is ${state}.` }] });

/**
 * The stamp of a partition whose caller signed as it: it exists and is enabled, and the key still stands, or stood when it signed the manifest.
 * All was asked at the edge, but what is committed is decided under the head that it replaces, and that may be a newer one.
 */
export function requireWriter(head: StampHead, caller: SendingCaller, clock: Pick<Clock, "real">): StampRecord {
  const stamp = requireStamp(head);
  if (stamp.state !== "enabled") throw new DomainError(stampIsEnabled.code, stampIsEnabled.message);
  const { keyId } = caller;
  if (caller.kind === "manifest") {
    requireKeyAsOf(stamp, keyId, caller.manifest.savedOn, clock.real());
    return stamp;
  }
  const key = stamp.keys.find((each) => each.keyId === keyId);
  if (key === undefined || isRetired(key, clock.real())) {
    throw new DomainError("KeyRetired", `Key ${keyId} has just been retired: sign with another key of this stamp.`);
  }
  return stamp;
}

export function requireStamp(head: StampHead): StampRecord {
  const stamp = asStamp(head.state);
  if (stamp === undefined) throw noSuchStamp();
  return stamp;
}

/** A stamp, or a drop box: whoever has bundles. */
export function requireSender(head: StampHead): SenderRecord {
  if (head.state === undefined) throw noSuchStamp();
  return head.state;
}
