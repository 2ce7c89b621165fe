import { createHash } from "node:crypto";

/** All that is random in a simulation, drawn from one seed; whoever acts has a stream of their own, which nobody else's draws disturb. */
export type Chance = {
  /** From 0 up to, not with, 1. */
  readonly unit: () => number;
  /** A whole number from 0 up to, not with, `n`. */
  readonly below: (n: number) => number;
  readonly happens: (probability: number) => boolean;
  readonly pick: <T>(items: readonly [T, ...T[]]) => T;
  /** One of them; undefined where there are none. */
  readonly oneOf: <T>(items: readonly T[]) => T | undefined;
  /** Hours until the next of what comes every `mean` hours, at random. */
  readonly hours: (mean: number) => number;
  readonly guid: () => string;
  readonly bytes: (length: number) => Buffer;
};

/** The stream of that name; the same seed and name give the same draws. */
export function chanceOf(seed: number, name: string): Chance {
  let drawn = 0;
  const draw = (): Buffer => {
    drawn += 1;
    return createHash("sha256").update(`${seed}/${name}/${drawn}`).digest();
  };
  const unit = () => draw().readUInt32BE() / 2 ** 32;
  const below = (n: number) => Math.floor(unit() * n);
  return {
    unit,
    below,
    happens: (probability) => unit() < probability,
    pick: (items) => items[below(items.length)] ?? items[0],
    oneOf: (items) => items[below(items.length)],
    hours: (mean) => -Math.log(1 - unit()) * mean,
    guid: () => {
      const hex = draw().toString("hex");
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    },
    bytes: (length) => {
      const blocks = Array.from({ length: Math.ceil(length / 32) }, draw);
      return Buffer.concat(blocks).subarray(0, length);
    },
  };
}
