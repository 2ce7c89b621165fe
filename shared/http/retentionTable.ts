import { bundleState, purgeBasis } from "../api/bundles.ts";
import type { Retention } from "../api/compliance.ts";
import type { CsvRow } from "./csv.ts";

const states = bundleState.options;
const bases = purgeBasis.options;

/** The days of a retention report, a row each, oldest first; a column for each state and basis, so that they can be summed. */
export const retentionTable = ({ days }: Retention): CsvRow[] => [
  [
    "day",
    "bundles",
    "bytes",
    ...states.map((state) => `state ${state}`),
    "purgeOn",
    "purgedOn",
    ...bases.map((basis) => `purged by ${basis}`),
  ],
  ...days.map(({ day, created, bytes, byState, purgeOn, purgedOn, purgedBy }) => [
    // As a spreadsheet knows a date.
    day.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3"),
    created,
    bytes,
    ...states.map((state) => byState[state] ?? 0),
    purgeOn,
    purgedOn ?? "",
    ...bases.map((basis) => purgedBy[basis] ?? 0),
  ]),
];
