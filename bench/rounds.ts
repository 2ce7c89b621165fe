/** Several ways of doing the same, one after the other, round after round, so that whatever else the machine does hits all of them alike. */

export type Contender = {
  readonly name: string;
  /** Does it once and gives the milliseconds of the part that counts; what it prepares and tidies up is not in them. */
  readonly run: () => Promise<number>;
  /** Milliseconds of each round. */
  readonly times: number[];
};

export const contender = (name: string, run: Contender["run"]): Contender => ({ name, run, times: [] });

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** Runs every contender once to warm up, then once in each round, each round beginning with another one. */
export async function alternate(
  contenders: readonly Contender[],
  rounds: number,
  say: (line: string) => void,
): Promise<void> {
  for (const { run } of contenders) await run();
  for (let round = 0; round < rounds; round++) {
    const first = round % contenders.length;
    const order = [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const { run, times } of order) times.push(await run());
    const results = contenders.map(({ name, times }) => `${name} ${seconds(times.at(-1) ?? 0)}`);
    say(`  round ${round + 1} of ${rounds}: ${results.join(", ")}`);
  }
}

export type Spread = { readonly median: number; readonly least: number; readonly most: number };

/** The middle value and the ends. Throws `RangeError` where there is nothing. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (least === undefined || most === undefined || low === undefined || high === undefined) {
    throw new RangeError("There is no median of nothing");
  }
  return { median: (low + high) / 2, least, most };
}

/** How many times as long `one` takes as `other`, round by round: what slowed the machine for a while slowed both. */
export const ratios = (one: Contender, other: Contender): Spread =>
  spread(one.times.map((time, round) => time / (other.times[round] ?? Number.NaN)));

/** Both medians in words. */
export const medians = (one: Contender, other: Contender): string =>
  `${seconds(spread(one.times).median)} ÷ ${seconds(spread(other.times).median)}`;

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;
