import type { Verdict } from "./chain.ts";

/** What a check of the chains says to its reader. */

/** What was checked, chain by chain, then what is wrong, then the verdict. */
export function told(origin: string, { heads, events, problems }: Verdict): string[] {
  return [
    `The ledger of ${origin}`,
    ...[...heads].map(([partition, { seq, hash }]) => `  ${partition}: to seq ${seq}, hash ${hash}`),
    ...problems.map(({ code, partition, seq, index, message }) => {
      const where = partition === undefined ? `event ${index + 1} of the list` : `${partition} ${seq ?? "?"}`;
      return `PROBLEM ${code} at ${where}: ${message}`;
    }),
    `Checked ${counted(events, "event")} in ${counted(heads.size, "partition")}: ${
      problems.length === 0 ? "every chain holds." : `${counted(problems.length, "problem")}.`
    }`,
  ];
}

export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? "" : "s"}`;
