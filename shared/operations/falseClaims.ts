import type { StampId } from "../api/primitives.ts";

/**
 * Stamps whose claims to cases proved false lately. Looking at a claim costs a call, so one that makes up case numbers is not looked at for
 * the rest of the minute: an invented number must not make a storm dearer.
 */
export type FalseClaims = {
  readonly add: (stampId: StampId, realNow: Date) => void;
  readonly tooMany: (stampId: StampId, realNow: Date) => boolean;
};

const windowMs = 60_000;
const mostInWindow = 5;
/** Stamps remembered at a time; the one that was seen first goes first. */
const mostStamps = 10_000;

export function rememberFalseClaims(): FalseClaims {
  const seen = new Map<StampId, readonly number[]>();
  const recent = (stampId: StampId, realNow: Date) =>
    (seen.get(stampId) ?? []).filter((time) => time > realNow.getTime() - windowMs);

  return {
    add: (stampId, realNow) => {
      const times = [...recent(stampId, realNow), realNow.getTime()].slice(-mostInWindow);
      seen.delete(stampId);
      seen.set(stampId, times);
      const [first] = seen.keys();
      if (seen.size > mostStamps && first !== undefined) seen.delete(first);
    },
    tooMany: (stampId, realNow) => recent(stampId, realNow).length >= mostInWindow,
  };
}
