import type { BlobServiceClient, UserDelegationKey } from "@azure/storage-blob";

const minute = 60_000;
const hour = 60 * minute;

/** Hours that a key is asked for, or as many as a longer URL needs; Azure gives at most seven days. */
const keyHours = 24;

/** A URL dies with its key: a key that would end sooner than this after the URL is replaced first. */
const spareHours = 1;

/** Storage's clock may be behind ours: a key (and a URL) that starts in its future would be refused. */
export const clockSkewMs = 5 * minute;

/** Gives a user-delegation key that outlives a URL which lives until then; it never leaves memory and no log shows it. */
export type DelegationKeys = (urlExpiresOn: Date) => Promise<UserDelegationKey>;

/** Keeps one key and asks for the next in time; callers at the same moment share one request. */
export function delegationKeys(service: BlobServiceClient, now: () => Date): DelegationKeys {
  let held: { key: Promise<UserDelegationKey>; expiresOn: number } | undefined;
  return (urlExpiresOn) => {
    const time = now().getTime();
    const neededUntil = urlExpiresOn.getTime() + spareHours * hour;
    if (held !== undefined && neededUntil < held.expiresOn) return held.key;
    const expiresOn = Math.max(time + keyHours * hour, neededUntil + spareHours * hour);
    const asked = { key: service.getUserDelegationKey(new Date(time - clockSkewMs), new Date(expiresOn)), expiresOn };
    held = asked;
    // A failed request must not be what later callers get.
    asked.key.catch(() => {
      if (held === asked) held = undefined;
    });
    return asked.key;
  };
}
