import * as z from "zod";
import { bundleState, purgeBasis } from "../api/bundles.ts";
import { guid, purpose, type UtcTime, utcTime } from "../api/primitives.ts";
import type { ChainedEvent } from "./event.ts";
import { type UtcDay, utcDaySchema } from "./utcDay.ts";

/**
 * What the retention report counts, folded from the ledger: for each day of creation, what became of its bundles.
 * Counts add up in any order, and those of one event may be negative: a bundle that leaves a state lowers it.
 */

export const dayCounts = z.object({
  created: z.int(),
  /** Of them, those whose event names the consent that covers them. */
  covered: z.int(),
  /** Bytes that they were announced to have. */
  bytesBegun: z.int().default(0),
  byState: z.partialRecord(bundleState, z.int()),
  /** Bytes of the bundles that are submitted or accepted. */
  bytesHeld: z.int(),
  purgedBy: z.partialRecord(purgeBasis, z.int()),
  /** URLs given out, by what for, and those of them for a case that is no support case; lists of files are not counted. */
  accessesBy: z.partialRecord(purpose, z.int()),
  accessesOutsideSupport: z.int(),
  /** When the last container of the day was deleted. */
  containerPurgedOn: utcTime.optional(),
});
export type DayCounts = z.infer<typeof dayCounts>;

export type CountsByDay = ReadonlyMap<UtcDay, DayCounts>;

export const noCounts: DayCounts = {
  created: 0,
  covered: 0,
  bytesBegun: 0,
  byState: {},
  bytesHeld: 0,
  purgedBy: {},
  accessesBy: {},
  accessesOutsideSupport: 0,
};

/** Adds what `events` say, one after the other. Stops before it would touch more than `mostDays` days; `folded` is how many it took. */
export function fold(
  events: readonly ChainedEvent[],
  mostDays: number = Number.POSITIVE_INFINITY,
): { readonly counts: CountsByDay; readonly folded: number } {
  const counts = new Map<UtcDay, DayCounts>();
  let folded = 0;
  for (const event of events) {
    const said = countsOf(event);
    if (said !== undefined) {
      if (!counts.has(said.day) && counts.size === mostDays) break;
      counts.set(said.day, plus(counts.get(said.day), said.counts));
    }
    folded += 1;
  }
  return { counts, folded };
}

/** The sum of both; an absent one is nothing. */
export function plus(one: DayCounts | undefined, other: DayCounts | undefined): DayCounts {
  const [a, b] = [one ?? noCounts, other ?? noCounts];
  const purgedOn = latest(a.containerPurgedOn, b.containerPurgedOn);
  return {
    created: a.created + b.created,
    covered: a.covered + b.covered,
    bytesBegun: a.bytesBegun + b.bytesBegun,
    byState: sums(a.byState, b.byState, dayCounts.shape.byState),
    bytesHeld: a.bytesHeld + b.bytesHeld,
    purgedBy: sums(a.purgedBy, b.purgedBy, dayCounts.shape.purgedBy),
    accessesBy: sums(a.accessesBy, b.accessesBy, dayCounts.shape.accessesBy),
    accessesOutsideSupport: a.accessesOutsideSupport + b.accessesOutsideSupport,
    ...(purgedOn === undefined ? {} : { containerPurgedOn: purgedOn }),
  };
}

/** Day by day. */
export function plusByDay(parts: Iterable<CountsByDay>): CountsByDay {
  const total = new Map<UtcDay, DayCounts>();
  for (const part of parts) {
    for (const [day, counts] of part) total.set(day, plus(total.get(day), counts));
  }
  return total;
}

/** All days in one. */
export const inTotal = (byDay: CountsByDay): DayCounts =>
  [...byDay.values()].reduce<DayCounts>((total, each) => plus(total, each), noCounts);

type Said = { readonly day: UtcDay; readonly counts: DayCounts };

/** What one event adds; undefined where the report does not count it. Throws on an event that lacks its facts: a miscount would go unseen. */
function countsOf(event: ChainedEvent): Said | undefined {
  switch (event.type) {
    case "bundle.created":
      return created(event);
    case "bundle.submitted":
    case "bundle.accepted":
    case "bundle.rejected":
    case "bundle.canceled":
    case "bundle.expired":
      return moved(event);
    case "bundle.purged":
      return purged(event);
    case "bundle.accessed":
      return accessed(event);
    case "container.purged":
      return containerPurged(event);
    default:
      return undefined;
  }
}

const ofDay = { day: utcDaySchema };
const creation = z.object({
  ...ofDay,
  toState: bundleState,
  decisionId: guid.optional(),
  sizeBytes: z.int().default(0),
});
const move = z.object({ ...ofDay, sizeBytes: z.int(), fromState: bundleState, toState: bundleState });
const purge = move.extend({ basis: purgeBasis });
const accessing = z.object({ ...ofDay, purpose, caseKind: z.string() });
const container = z.object(ofDay);

function created({ data }: ChainedEvent): Said {
  const { day, toState, decisionId, sizeBytes } = creation.parse(data);
  const covered = decisionId === undefined ? 0 : 1;
  return { day, counts: { ...noCounts, created: 1, covered, bytesBegun: sizeBytes, byState: { [toState]: 1 } } };
}

function moved({ data }: ChainedEvent): Said {
  const facts = move.parse(data);
  return { day: facts.day, counts: movement(facts) };
}

function purged({ data }: ChainedEvent): Said {
  const facts = purge.parse(data);
  return { day: facts.day, counts: { ...movement(facts), purgedBy: { [facts.basis]: 1 } } };
}

function accessed({ data }: ChainedEvent): Said {
  const { day, purpose, caseKind } = accessing.parse(data);
  return {
    day,
    counts: { ...noCounts, accessesBy: { [purpose]: 1 }, accessesOutsideSupport: caseKind === "support" ? 0 : 1 },
  };
}

function containerPurged({ data, on }: ChainedEvent): Said {
  return { day: container.parse(data).day, counts: { ...noCounts, containerPurgedOn: on } };
}

/** A rejected bundle that is purged stays rejected: it leaves no state. */
function movement({ fromState, toState, sizeBytes }: z.infer<typeof move>): DayCounts {
  const leaves = fromState === toState ? {} : { [fromState]: -1, [toState]: 1 };
  const bytesHeld = (holdsBytes(toState) ? sizeBytes : 0) - (holdsBytes(fromState) ? sizeBytes : 0);
  return { ...noCounts, byState: leaves, bytesHeld };
}

const holdsBytes = (state: z.infer<typeof bundleState>): boolean => state === "submitted" || state === "accepted";

/** Key by key; what comes to nothing is left out. */
function sums<Counts extends z.ZodType<Readonly<Record<string, number>>>>(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
  schema: Counts,
): z.infer<Counts> {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  const entries = [...keys].map((key) => [key, (one[key] ?? 0) + (other[key] ?? 0)] as const);
  return schema.parse(Object.fromEntries(entries.filter(([, count]) => count !== 0)));
}

const latest = (...times: readonly (UtcTime | undefined)[]): UtcTime | undefined =>
  times
    .filter((time) => time !== undefined)
    .sort((a, b) => Date.parse(a) - Date.parse(b))
    .at(-1);
