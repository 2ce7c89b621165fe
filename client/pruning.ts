/** Which saved bundles may go so that their share does not fill: pure, so that what it would do can be told first. */

export type Candidate = {
  readonly name: string;
  readonly savedOn: Date;
  readonly sizeBytes: number;
  /** The service has accepted it. */
  readonly sent: boolean;
};

export type Limits = {
  readonly maxAgeMs?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** Deletes also what was never sent. */
  readonly unsent: boolean;
};

/** `age` and `size` are why it goes; `notSent` is what keeps one that would go; `within` needs no more. */
export type Choice<T> = { readonly of: T; readonly goes: boolean; readonly why: "age" | "size" | "notSent" | "within" };

export type Pruning<T> = {
  /** Oldest first. */
  readonly choices: readonly Choice<T>[];
  readonly bytesFreed: number;
  readonly bytesLeft: number;
  /** Something that should go stays, because it was not sent. */
  readonly isOverLimit: boolean;
};

/** First all that are too old, then the oldest until the rest fits; never one that was not sent, unless told so. */
export function choosePruning<T extends Candidate>(saved: readonly T[], limits: Limits, now: Date): Pruning<T> {
  const { maxAgeMs = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY, unsent } = limits;
  const oldestFirst = saved.toSorted((one, other) => one.savedOn.getTime() - other.savedOn.getTime());
  const isTooOld = ({ savedOn }: T) => now.getTime() - savedOn.getTime() > maxAgeMs;
  const mayGo = ({ sent }: T) => sent || unsent;

  const going = new Map(
    oldestFirst.filter((each) => isTooOld(each) && mayGo(each)).map((each) => [each, "age"] as const),
  );
  let bytesLeft = bytesOf(saved) - bytesOf([...going.keys()]);
  const toFit = new Map<T, "size">();
  for (const each of oldestFirst) {
    if (bytesLeft <= maxBytes) break;
    if (going.has(each) || !mayGo(each)) continue;
    toFit.set(each, "size");
    bytesLeft -= each.sizeBytes;
  }

  const isFull = bytesLeft > maxBytes;
  const choices = oldestFirst.map((of): Choice<T> => {
    const why = going.get(of) ?? toFit.get(of);
    if (why !== undefined) return { of, goes: true, why };
    return { of, goes: false, why: isFull || isTooOld(of) ? "notSent" : "within" };
  });
  return {
    choices,
    bytesLeft,
    bytesFreed: bytesOf(saved) - bytesLeft,
    isOverLimit: choices.some(({ why }) => why === "notSent"),
  };
}

const bytesOf = (these: readonly Candidate[]): number => these.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
