/**
 * The stamp's clock as the service sees it. Stamp clocks drift, and a signature made by a wrong one is refused; the
 * refusal carries the service's `Date`, from which the difference is learned.
 */
export type CorrectedClock = {
  /** The present time with the learned difference. */
  now(): Date;
  /** Learns from an answer's `Date` header; false where it has none. */
  learn(headers: Headers): boolean;
};

/** A clock that starts without a correction. */
export function correctedClock(own: () => number = Date.now): CorrectedClock {
  let aheadMs = 0;
  return {
    now: () => new Date(own() + aheadMs),
    learn: (headers) => {
      const theirs = Date.parse(headers.get("date") ?? "");
      if (Number.isNaN(theirs)) return false;
      aheadMs = theirs - own();
      return true;
    },
  };
}
