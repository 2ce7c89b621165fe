import type { BlobServiceClient, UserDelegationKey } from "@azure/storage-blob";

const minute = 60_000;

/** Milliseconds that a key lives beyond the longest URL that it signs: so long it can sign such URLs. */
const beyondMs = 60 * minute;

/** Milliseconds before a URL would outlive its key in which the next one is asked for: an outage that short refuses nobody. */
const earlyMs = 15 * minute;

/** Storage's clock may be behind ours: a key (and a URL) that starts in its future would be refused. */
export const clockSkewMs = 5 * minute;

/** A URL to sign: its end, and the longest life of its kind. */
type UrlLife = { readonly expiresOn: Date; readonly atMostMs: number };

/** Gives a user-delegation key that outlives the URL; it never leaves memory and no log shows it. */
export type DelegationKeys = (url: UrlLife) => Promise<UserDelegationKey>;

type Held = { readonly key: UserDelegationKey; readonly expiresOn: number };

/** Keeps a key for each kind of URL, so that none lives longer than its own URLs need (`docs/decisions/delegation-keys-by-kind.md`). */
export function delegationKeys(service: BlobServiceClient, now: () => Date): DelegationKeys {
  const kinds = new Map<number, (urlExpiresOn: Date) => Promise<UserDelegationKey>>();
  return ({ expiresOn, atMostMs }) => {
    const ofKind = kinds.get(atMostMs) ?? renewedKey(service, atMostMs + beyondMs, now);
    kinds.set(atMostMs, ofKind);
    return ofKind(expiresOn);
  };
}

/** Keeps one key, and asks for the next in time; callers at the same moment share one request. */
function renewedKey(
  service: BlobServiceClient,
  lifeMs: number,
  now: () => Date,
): (urlExpiresOn: Date) => Promise<UserDelegationKey> {
  let held: Held | undefined;
  let coming: Promise<Held> | undefined;

  const ask = async (): Promise<Held> => {
    try {
      const time = now().getTime();
      const expiresOn = time + lifeMs;
      const key = await service.getUserDelegationKey(new Date(time - clockSkewMs), new Date(expiresOn));
      held = { key, expiresOn };
      return held;
    } finally {
      coming = undefined;
    }
  };

  return async (urlExpiresOn) => {
    const until = urlExpiresOn.getTime();
    if (held !== undefined && until + earlyMs <= held.expiresOn) return held.key;
    try {
      coming ??= ask();
      return (await coming).key;
    } catch (error) {
      if (held !== undefined && until <= held.expiresOn) return held.key;
      throw error;
    }
  };
}
