import { type Retention, retention } from "../../shared/api/compliance.ts";
import { getRetention } from "../../shared/operations/compliance/retention.ts";
import { type Bundle, bundlePage, type LedgerEvent } from "../support/system/shapes.ts";
import { readAll } from "../support/system/world.ts";
import { auditedEvents } from "./audit.ts";
import { faultsOf } from "./judgement.ts";
import type { KnownBundle } from "./known.ts";
import { brokenRules, bundlesOf } from "./ledger.ts";
import type { Machinery } from "./machinery.ts";
import type { Observer } from "./observer.ts";
import type { Simulation } from "./simulation.ts";

/** At the end all is calm, everything due gets its time, and everybody's account is compared: the stamps', the report's, the ledger's, storage's. */

export type Counts = Readonly<Record<string, number>>;
export type Reckoning = {
  readonly faults: readonly string[];
  readonly states: Counts;
  readonly purgedBy: Counts;
  readonly events: number;
  readonly checkpoints: number;
};

export async function reckon(simulation: Simulation, machinery: Machinery, observer: Observer): Promise<Reckoning> {
  await calmDown(simulation, machinery);
  const bundles = await allBundles(simulation);
  const events = await auditedEvents(simulation);
  const report = retention.parse(await getRetention(simulation.stage().app.world));
  const held = await observer.look();
  const faults = [
    ...events.faults,
    ...ofBundles(simulation, bundles),
    ...ofReport(bundles, report),
    ...ofLedger(bundles, events.events),
    ...brokenRules(events.events),
    ...ofStorage(bundles, held),
  ];
  const found = [...bundles.values()];
  return {
    faults,
    states: countBy(found, ({ state }) => state),
    purgedBy: countBy(found, ({ purge }) => purge?.basis),
    events: events.events.length,
    checkpoints: events.checkpoints,
  };
}

/** Nothing fails any more, and what is due in a few hours gets them; nobody else acts. */
async function calmDown(simulation: Simulation, { calm, drainQueue, runTimer }: Machinery): Promise<void> {
  calm();
  for (let round = 0; round < 4; round += 1) {
    simulation.time.skip(1.5);
    await drainQueue();
    await runTimer("sweepUnfinished");
    await drainQueue();
    await runTimer("purgeDue");
  }
  for (const name of ["foldLedger", "reconcile", "sealCheckpoint"] as const) await runTimer(name);
}

/** Every bundle as its stamp's own history shows it. */
async function allBundles(simulation: Simulation): Promise<Map<string, Bundle>> {
  const auditor = await simulation.stage().person("A");
  const found = new Map<string, Bundle>();
  for (const stampId of simulation.known.stamps.keys()) {
    const listed = await readAll(auditor.call, `/stamps/${stampId}/bundles`);
    for (const bundle of bundlePage.parse({ value: listed }).value) found.set(bundle.bundleId, bundle);
  }
  return found;
}

function ofBundles({ known, stage, time }: Simulation, found: ReadonlyMap<string, Bundle>): string[] {
  const { purgeAfterDays } = stage().app.world.rules;
  const times = { now: time.now().getTime(), purgeAfterDays };
  const strangers = [...found.keys()].filter((bundleId) => !known.bundles.has(bundleId));
  const judge = (asked: KnownBundle): string[] => {
    const bundle = found.get(asked.bundleId);
    if (bundle !== undefined) return faultsOf(known, asked, bundle, times);
    return asked.created === "acknowledged" ? [`bundle ${asked.bundleId} is lost`] : [];
  };
  return [
    ...strangers.map((each) => `bundle ${each} was asked for by nobody`),
    ...[...known.bundles.values()].flatMap(judge),
  ];
}

/** The report's rollups say, day by day, what all histories say. */
function ofReport(bundles: ReadonlyMap<string, Bundle>, report: Retention): string[] {
  const all = [...bundles.values()];
  const held = all.filter(({ state }) => state === "accepted" || state === "submitted");
  const dayOf = ({ createdOn }: Bundle) => createdOn.slice(0, 10).replaceAll("-", "");
  const byDay = (of: (bundles: readonly Bundle[]) => unknown) =>
    Object.fromEntries([...Map.groupBy(all, dayOf)].map(([day, same]) => [day, of(same)]));
  const reported = (of: (day: Retention["days"][number]) => unknown) =>
    Object.fromEntries(report.days.map((day) => [day.day, of(day)]));
  return [
    ...differing("report, violations", report.violations, []),
    ...differing(
      "report, bundlesByState",
      report.bundlesByState,
      countBy(all, ({ state }) => state),
    ),
    ...differing(
      "report, bytesHeld",
      report.bytesHeld,
      held.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    ),
    ...differing("report, consentCoverage", report.consentCoverage, { bundles: all.length, covered: all.length }),
    ...differing(
      "report, created",
      reported(({ created }) => created),
      byDay((same) => same.length),
    ),
    ...differing(
      "report, byState",
      reported(({ byState }) => byState),
      byDay((same) => countBy(same, ({ state }) => state)),
    ),
    ...differing(
      "report, purgedBy",
      reported(({ purgedBy }) => purgedBy),
      byDay((same) => countBy(same, ({ purge }) => purge?.basis)),
    ),
  ];
}

/** The events alone lead to the same states, and none is told of twice. */
function ofLedger(bundles: ReadonlyMap<string, Bundle>, events: readonly LedgerEvent[]): string[] {
  const told = bundlesOf(events);
  const once = ["bundle.created", "bundle.submitted", "bundle.accepted", "bundle.purged"];
  const twice = [...countsOfEach(events, once)].filter(([, times]) => times > 1);
  return [
    ...twice.map(([what]) => `ledger: ${what} is told twice`),
    ...differing("ledger, bundles", told.size, bundles.size),
    ...[...bundles.values()].flatMap(({ bundleId, state, purge }) => {
      const same = told.get(bundleId);
      const agrees = same?.state === state && same.basis === purge?.basis;
      return agrees ? [] : [`bundle ${bundleId}: is ${state} ${purge?.basis}, its events say ${JSON.stringify(same)}`];
    }),
  ];
}

function countsOfEach(events: readonly LedgerEvent[], types: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { type, data } of events) {
    if (!types.includes(type)) continue;
    const what = `${type} of ${String(data.bundleId)}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

/** Storage holds the bytes of what is accepted, and landing containers of uploads under way: no more, no less. */
function ofStorage(
  bundles: ReadonlyMap<string, Bundle>,
  sights: readonly { readonly container: string; readonly blobs: readonly string[] }[],
): string[] {
  const all = [...bundles.values()];
  const names = (of: readonly Bundle[]) => of.map(({ stampId, bundleId }) => `${stampId}/${bundleId}`).sort();
  const landings = sights.filter(({ container }) => container.startsWith("landing-"));
  const days = sights.filter(({ container }) => container.startsWith("bundles-"));
  // What is derived from a bundle lies beside it, under its name and an ending: it may not outlive the bundle.
  const [stored, derived] = partition(
    days.flatMap(({ blobs }) => blobs),
    (name) => !name.includes("."),
  );
  const owners = [...new Set(derived.map((name) => name.split(".")[0] ?? name))].sort();
  const accepted = names(all.filter(({ state }) => state === "accepted"));
  return [
    ...differing("storage, bundles", stored.sort(), accepted),
    ...differing(
      "storage, what is derived of no bundle",
      owners.filter((owner) => !accepted.includes(owner)),
      [],
    ),
    ...differing("storage, landings", landings.length, all.filter(({ state }) => state === "created").length),
  ];
}

function partition<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );

const differing = (what: string, found: unknown, expected: unknown): string[] =>
  sorted(found) === sorted(expected)
    ? []
    : [`${what}: ${sorted(found).slice(0, 1500)} instead of ${sorted(expected).slice(0, 1500)}`];
