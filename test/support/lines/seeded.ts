/** Draws that are the same in every run. */
export type Draws = {
  /** From 0 up to 1. */
  readonly uniform: () => number;
  /** Exponentially distributed around this mean. */
  readonly exponential: (mean: number) => number;
};

/** The generator mulberry32, which is enough for faults. */
export function seeded(seed: number): Draws {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { uniform, exponential: (mean) => -mean * Math.log(1 - uniform()) };
}
