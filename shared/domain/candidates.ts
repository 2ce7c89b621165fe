import type { UtcTime } from "../api/primitives.ts";
import type { BundleRecord } from "./bundle.ts";
import type { CaseRecord } from "./case.ts";
import { isPurgeDue } from "./purge.ts";

/** Which bundles a case may be about: by its number, by fault, by time and by the window of the logs. A person confirms by linking. */

/** What is known of a case's trouble, beside the case. */
export type CaseSigns = {
  readonly title: string | undefined;
  /** Some of the bundles that are linked to it. */
  readonly linked: readonly BundleRecord[];
};

export type Candidate = {
  /** Higher is likelier; at most 250. */
  readonly score: number;
  readonly reasons: readonly string[];
};

type Look = { readonly bundle: BundleRecord; readonly record: CaseRecord; readonly signs: CaseSigns };

/** A sign that the case is about the bundle: its weight, and how it is told where it is there. */
type Sign = { readonly weight: number; readonly tells: (look: Look) => string | undefined };

const hourMs = 3_600_000;

/** When the trouble was: the alert, or else the collection. */
const troubleOn = ({ trigger, collectedOn }: BundleRecord): UtcTime => trigger?.raisedOn ?? collectedOn;

const hoursFromOpening = ({ bundle, record }: Look): number =>
  Math.abs(Date.parse(troubleOn(bundle)) - Date.parse(record.createdOn)) / hourMs;

/** Of several, the nearest counts. */
const near = (weight: number, fromHours: number, toHours: number): Sign => ({
  weight,
  tells: (look) => {
    const hours = hoursFromOpening(look);
    if (hours < fromHours || hours >= toHours) return undefined;
    const what = look.bundle.trigger === undefined ? "Collected" : "Its fault was raised";
    return `${what} within ${toHours} hours of the case's opening.`;
  },
});

type Window = { readonly from: number; readonly to: number };

const windowOf = ({ logsFrom, logsTo }: BundleRecord): Window | undefined =>
  logsFrom === undefined || logsTo === undefined ? undefined : { from: Date.parse(logsFrom), to: Date.parse(logsTo) };

const overlap = (one: Window | undefined, other: Window | undefined): boolean =>
  one !== undefined && other !== undefined && one.from <= other.to && other.from <= one.to;

const signs: readonly Sign[] = [
  {
    weight: 100,
    tells: ({ bundle, record }) =>
      bundle.caseNumber === record.caseNumber ? "The operator named this case when sending it." : undefined,
  },
  {
    weight: 40,
    tells: ({ bundle: { trigger }, signs: { linked } }) =>
      trigger !== undefined && linked.some((each) => each.trigger?.faultId === trigger.faultId)
        ? "A bundle of the case was collected for the same fault."
        : undefined,
  },
  {
    weight: 40,
    tells: ({ bundle: { trigger }, signs: { title } }) =>
      trigger !== undefined && title?.toLowerCase().includes(trigger.faultId.toLowerCase())
        ? "The case's title names its fault."
        : undefined,
  },
  {
    weight: 10,
    tells: ({ bundle: { trigger } }) =>
      trigger && `Collected when ${trigger.faultId} was raised on ${trigger.raisedOn}.`,
  },
  near(30, 0, 4),
  near(20, 4, 24),
  near(10, 24, 72),
  {
    weight: 15,
    tells: ({ bundle, signs: { linked } }) =>
      linked.some((each) => overlap(windowOf(each), windowOf(bundle)))
        ? "Its logs are of the same hours as those of a bundle of the case."
        : undefined,
  },
  {
    weight: 15,
    tells: ({ bundle, record: { createdOn } }) => {
      const opened = Date.parse(createdOn);
      return overlap(windowOf(bundle), { from: opened - 4 * hourMs, to: opened })
        ? "It holds logs of the hours before the case was opened."
        : undefined;
    },
  },
];

/** How well a bundle fits a case and why, the weightiest reason first; undefined where it could not be linked, or is. */
export function judgeCandidate(
  bundle: BundleRecord,
  record: CaseRecord,
  caseSigns: CaseSigns,
  now: Date,
): Candidate | undefined {
  const linked = bundle.links.some((link) => link.caseNumber === record.caseNumber);
  const usable = bundle.state === "accepted" || bundle.state === "submitted";
  if (linked || !usable || isPurgeDue(bundle, now)) return undefined;
  const look = { bundle, record, signs: caseSigns };
  const told = signs.flatMap(({ weight, tells }) => {
    const reason = tells(look);
    return reason === undefined ? [] : [{ weight, reason }];
  });
  const { mode, collectedOn, logsFrom, logsTo } = bundle;
  return {
    score: told.reduce((sum, { weight }) => sum + weight, 0),
    reasons: [
      ...told.map(({ reason }) => reason),
      mode === "dropBox" ? `Arrived in a drop box on ${collectedOn}.` : "The case lists its stamp.",
      ...(logsFrom === undefined || logsTo === undefined ? [] : [`Holds logs from ${logsFrom} to ${logsTo}.`]),
    ],
  };
}
