import type { Spread } from "./rounds.ts";

/** The results as a Markdown table. */

export type Row = {
  /** What was measured, and of what. */
  readonly what: string;
  /** The value that a target is for. */
  readonly value: string;
  /** How it varied, or what it is made of. */
  readonly detail: string;
  readonly target?: { readonly words: string; readonly met: boolean };
};

export function markdown(rows: readonly Row[]): string {
  const lines = rows.map(({ what, value, detail, target }) => [what, `**${value}**`, detail, ...verdict(target)]);
  return [["what", "median", "detail", "target", ""], ["---", "---", "---", "---", "---"], ...lines]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

const verdict = (target: Row["target"]): readonly [string, string] =>
  target === undefined ? ["for information", ""] : [target.words, target.met ? "met" : "**missed**"];

type Bound = { readonly atMost: number } | { readonly atLeast: number };

/** A row of a ratio, with its range over the rounds. */
export function ratioRow(what: string, { median, least, most }: Spread, detail: string, bound?: Bound): Row {
  const range = `${least.toFixed(2)} to ${most.toFixed(2)}`;
  return {
    what,
    value: median.toFixed(2),
    detail: `${range}; ${detail}`,
    ...(bound === undefined ? {} : { target: ratioTarget(median, bound) }),
  };
}

function ratioTarget(ratio: number, bound: Bound): NonNullable<Row["target"]> {
  return "atMost" in bound
    ? { words: `≤ ${bound.atMost.toFixed(2)}`, met: ratio <= bound.atMost }
    : { words: `≥ ${bound.atLeast.toFixed(2)}`, met: ratio >= bound.atLeast };
}
