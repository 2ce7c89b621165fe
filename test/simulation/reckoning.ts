import { z } from "zod";
import { type Retention, retention } from "../../shared/api/compliance.ts";
import { getRetention } from "../../shared/operations/compliance/retention.ts";
import type { DropBox } from "../support/system/dropBoxes.ts";
import { bundleShape, dropBoxBundleShape, type LedgerEvent } from "../support/system/shapes.ts";
import { readAll } from "../support/system/world.ts";
import { auditedEvents } from "./audit.ts";
import { allBoxes, faultsOfBox } from "./boxes.ts";
import { type FoundBundle, faultsOf } from "./judgement.ts";
import type { KnownBundle } from "./known.ts";
import { brokenRules, bundlesOf } from "./ledger.ts";
import type { Machinery } from "./machinery.ts";
import type { Observer, Sight } from "./observer.ts";
import { ageDates, faultsOfDates } from "./seasons.ts";
import type { Simulation } from "./simulation.ts";

/** At the end all is calm, everything due gets its time, and everybody's account is compared: the stamps', the report's, the ledger's, storage's. */

export type Counts = Readonly<Record<string, number>>;
export type Reckoning = {
  readonly faults: readonly string[];
  readonly states: Counts;
  readonly purgedBy: Counts;
  /** Bundles by how they came. */
  readonly modes: Counts;
  /** Drop boxes by why they closed. */
  readonly boxes: Counts;
  /** Grants by why they ended. */
  readonly grants: Counts;
  readonly events: number;
  readonly checkpoints: number;
};

export async function reckon(simulation: Simulation, machinery: Machinery, observer: Observer): Promise<Reckoning> {
  await calmDown(simulation, machinery);
  const boxes = await allBoxes(simulation);
  const bundles = await allBundles(simulation, boxes);
  const events = await auditedEvents(simulation);
  const report = retention.parse(await getRetention(simulation.stage().app.world));
  const held = await observer.look();
  const faults = [
    ...events.faults,
    ...ofBundles(simulation, bundles),
    ...ofBoxes(simulation, boxes, bundles),
    ...faultsOfDates(simulation, bundles),
    ...ofReport(bundles, report),
    ...ofLedger(bundles, events.events),
    ...brokenRules(events.events, simulation.time.now().getTime()),
    ...ofStorage(bundles, boxes, held),
  ];
  const found = [...bundles.values()];
  return {
    faults,
    states: countBy(found, ({ state }) => state),
    purgedBy: countBy(found, ({ purge }) => purge?.basis),
    modes: countBy(found, ({ custody, mode }) => (custody === undefined ? mode : "imported")),
    boxes: countBy([...boxes.values()], ({ closing, state }) => closing?.reason ?? state),
    grants: countBy(
      events.events.filter(({ type }) => type === "grant.ended"),
      ({ data }) => String(data.reason),
    ),
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

const history = z.array(z.union([bundleShape, dropBoxBundleShape]));

/** Every bundle as its stamp's own history shows it, or its drop box's. */
async function allBundles(
  { known, stage }: Simulation,
  boxes: ReadonlyMap<string, DropBox>,
): Promise<Map<string, FoundBundle>> {
  const auditor = await stage().person("A");
  const found = new Map<string, FoundBundle>();
  for (const sender of [...known.stamps.keys(), ...[...boxes.values()].map(({ stampId }) => stampId)]) {
    const listed = history.parse(await readAll(auditor.call, `/stamps/${sender}/bundles`));
    for (const bundle of listed) found.set(bundle.bundleId, bundle);
  }
  return found;
}

const timesOf = ({ size, time }: Simulation) => ({
  now: time.now().getTime(),
  ageDates: (createdOn: string) => ageDates(size, createdOn),
});

const ofBoxes = (
  simulation: Simulation,
  found: ReadonlyMap<string, DropBox>,
  bundles: ReadonlyMap<string, FoundBundle>,
): string[] =>
  [...simulation.known.boxes.values()].flatMap((asked) =>
    faultsOfBox(simulation, asked, found.get(asked.dropBoxId), bundles, timesOf(simulation)),
  );

function ofBundles(simulation: Simulation, found: ReadonlyMap<string, FoundBundle>): string[] {
  const { known } = simulation;
  const times = timesOf(simulation);
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
function ofReport(bundles: ReadonlyMap<string, FoundBundle>, report: Retention): string[] {
  const all = [...bundles.values()];
  const held = all.filter(({ state }) => state === "accepted" || state === "submitted");
  const dayOf = ({ createdOn }: FoundBundle) => createdOn.slice(0, 10).replaceAll("-", "");
  const byDay = (of: (bundles: readonly FoundBundle[]) => unknown) =>
    Object.fromEntries([...Map.groupBy(all, dayOf)].map(([day, same]) => [day, of(same)]));
  // A drop box holds its day also where nothing arrives in it: the report then lists the day without a bundle.
  const daysWithBundles = report.days.filter(({ created }) => created > 0);
  const reported = (of: (day: Retention["days"][number]) => unknown) =>
    Object.fromEntries(daysWithBundles.map((day) => [day.day, of(day)]));
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
function ofLedger(bundles: ReadonlyMap<string, FoundBundle>, events: readonly LedgerEvent[]): string[] {
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

/** Storage holds the bytes of what is accepted, and what uploads and boxes under way may be written to: no more, no less. */
function ofStorage(
  bundles: ReadonlyMap<string, FoundBundle>,
  boxes: ReadonlyMap<string, DropBox>,
  sights: readonly Sight[],
): string[] {
  const all = [...bundles.values()];
  const names = (of: readonly FoundBundle[]) => of.map(({ stampId, bundleId }) => `${stampId}/${bundleId}`).sort();
  const containers = (kind: string) => sights.filter(({ container }) => container.startsWith(kind));
  const blobsIn = (kind: string) => containers(kind).flatMap(({ blobs }) => blobs);
  // What is derived from a bundle lies beside it, under its name and an ending: it may not outlive the bundle.
  const [stored, derived] = partition(blobsIn("bundles-"), (name) => !name.includes("."));
  const lent = blobsIn("lent-").map((name) => name.slice(0, name.lastIndexOf("/")));
  const owners = [...new Set([...derived.map((name) => name.split(".")[0] ?? name), ...lent])].sort();
  const accepted = names(all.filter(({ state }) => state === "accepted"));
  const open = [...boxes.values()].filter(({ state }) => state !== "closed").map(({ dropBoxId }) => dropBoxId);
  return [
    ...differing("storage, bundles", stored.sort(), accepted),
    ...differing(
      "storage, what is derived of no bundle",
      owners.filter((owner) => !accepted.includes(owner)),
      [],
    ),
    ...differing(
      "storage, drop boxes",
      containers("box-")
        .map(({ container }) => container.slice("box-20270105-".length))
        .sort(),
      open.sort(),
    ),
    ...differing(
      "storage, landings",
      containers("landing-").length,
      all.filter(({ state }) => state === "created").length,
    ),
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
