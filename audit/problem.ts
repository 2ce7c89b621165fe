/** What an export of the ledger has wrong: by a code, its place as a reader finds it, and in words. */

export type Problem = { readonly code: string; readonly place: string; readonly message: string };

/** Takes each problem as it is found: an export may have more of them than fit in memory. */
export type Complain = (problem: Problem) => void;

/** Such as `events.ndjson:12, stamps/7f1c… seq 3`. */
export const placeOf = (file: string, line: number, partition?: string, seq?: number): string =>
  `${file}:${line}${partition === undefined ? "" : `, ${partition} seq ${seq ?? "?"}`}`;
