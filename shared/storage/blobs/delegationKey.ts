import type { BlobServiceClient, UserDelegationKey } from "@azure/storage-blob";

const minute = 60_000;
const hour = 60 * minute;

/** Hours that a key is asked for; Azure gives at most seven days. */
const keyHours = 24;

/** A key that has less left than this is replaced first: a URL dies with its key, and an upload URL lives 4 hours. */
const leastHoursLeft = 5;

/** Storage's clock may be behind ours: a key (and a URL) that starts in its future would be refused. */
export const clockSkewMs = 5 * minute;

/** Gives a user-delegation key that outlives any URL signed now; it never leaves memory and no log shows it. */
export type DelegationKeys = () => Promise<UserDelegationKey>;

/** Keeps one key and asks for the next in time; callers at the same moment share one request. */
export function delegationKeys(service: BlobServiceClient, now: () => Date): DelegationKeys {
  let held: { key: Promise<UserDelegationKey>; freshUntil: number } | undefined;
  return () => {
    const time = now().getTime();
    if (held !== undefined && time < held.freshUntil) return held.key;
    const expiresOn = new Date(time + keyHours * hour);
    const asked = {
      key: service.getUserDelegationKey(new Date(time - clockSkewMs), expiresOn),
      freshUntil: expiresOn.getTime() - leastHoursLeft * hour,
    };
    held = asked;
    // A failed request must not be what later callers get.
    asked.key.catch(() => {
      if (held === asked) held = undefined;
    });
    return asked.key;
  };
}
