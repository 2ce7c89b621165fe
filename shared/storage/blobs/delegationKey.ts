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

type Asked = { readonly key: Promise<UserDelegationKey>; readonly expiresOn: number };

/**
 * Keeps one key and asks for the next in time; callers at the same moment share one request. One that fails is nobody's answer but its callers',
 * and the key that is there goes on signing what it outlives.
 */
export function delegationKeys(service: BlobServiceClient, now: () => Date): DelegationKeys {
  let held: Asked | undefined;
  let coming: Asked | undefined;

  const ask = (time: number, expiresOn: number): Asked => {
    const asked = {
      key: service.getUserDelegationKey(new Date(time - clockSkewMs), new Date(expiresOn)),
      expiresOn,
    };
    const settle = () => {
      if (coming === asked) coming = undefined;
    };
    asked.key.then(() => {
      if (held === undefined || held.expiresOn < expiresOn) held = asked;
      settle();
    }, settle);
    return asked;
  };

  return (urlExpiresOn) => {
    const time = now().getTime();
    const neededUntil = urlExpiresOn.getTime() + spareHours * hour;
    const fitting = [held, coming].find((each) => each !== undefined && neededUntil < each.expiresOn);
    if (fitting !== undefined) return fitting.key;
    coming = ask(time, Math.max(time + keyHours * hour, neededUntil + spareHours * hour));
    return coming.key;
  };
}
