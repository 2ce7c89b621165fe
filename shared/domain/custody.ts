import * as z from "zod";
import { keyId, type UtcTime, utcTime } from "../api/primitives.ts";
import { DomainError } from "../errors.ts";
import { type StampKeyRecord, type StampRecord, stampSkewMs } from "./stamp.ts";

/** A bundle that was saved locally comes by other hands than its stamp's: who signed for it, when, and who carried it here. */

export const custodyRecord = z.object({
  signedOn: utcTime,
  /** The stamp's key that signed the manifest. */
  keyId,
  /** Subject id of who first brought it; the name is in the people directory. */
  carriedBy: z.string(),
  importedOn: utcTime,
});
export type CustodyRecord = z.infer<typeof custodyRecord>;

/**
 * Throws where the key could not sign for the stamp at `signedOn`: what counts is that moment, for a manifest is carried for days and its key
 * may have been rotated since. `SignatureNotYetValid` for a time to come, `KeyUnknown` before the key was registered, `KeyRetired` outside
 * its validity. Keys from before their time was kept count as registered with the stamp. `realNow` is real time.
 */
export function requireKeyAsOf(stamp: StampRecord, named: string, signedOn: UtcTime, realNow: Date): void {
  const key = stamp.keys.find((each) => each.keyId === named);
  const signed = Date.parse(signedOn);
  if (signed > realNow.getTime() + stampSkewMs) {
    throw new DomainError(
      "SignatureNotYetValid",
      "The manifest was signed in the future. Set the stamp's clock and save the bundle again.",
    );
  }
  if (key === undefined || signed < Date.parse(key.addedOn ?? stamp.createdOn) - stampSkewMs) {
    throw new DomainError(
      "KeyUnknown",
      `Key ${named} was not registered for the stamp when the manifest was signed, at ${signedOn}. Register the key, then save the bundle again.`,
    );
  }
  const why = unfit(key, signed);
  if (why !== undefined) {
    throw new DomainError(
      "KeyRetired",
      `Key ${named} ${why}, and the manifest was signed at ${signedOn}. Save the bundle again with the stamp's present key.`,
    );
  }
}

function unfit({ notBefore, notAfter, retiredOn, retiredBy }: StampKeyRecord, signed: number): string | undefined {
  if (retiredBy === "compromise") return "was compromised";
  if (notBefore !== undefined && signed < Date.parse(notBefore)) return `may not sign before ${notBefore}`;
  if (notAfter !== undefined && signed > Date.parse(notAfter)) return `may not sign after ${notAfter}`;
  return retiredOn !== undefined && signed >= Date.parse(retiredOn) ? `was retired at ${retiredOn}` : undefined;
}
