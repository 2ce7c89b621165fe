import { grantShape } from "../support/system/shapes.ts";
import type { Chance } from "./chance.ts";
import { useDropBox } from "./dropBox.ts";

import { type Ending, grantKey, type KnownBundle, type KnownCase, type KnownGrant } from "./known.ts";
import { notLendable, readFile, readWhole } from "./reading.ts";

import { heardOf, insist, type Outcome, type Simulation, streamOf } from "./simulation.ts";

/** Support: cases that open, close and open again, whose assigned engineers open drop boxes, link bundles, are granted access, and read. */

type Desk = {
  readonly known: KnownCase;
  readonly path: string;
  readonly chance: Chance;
  readonly kind: "support" | "productHealth";
  readonly assignees: Set<string>;
  readonly grants: KnownGrant[];
  revision: number;
  state: "open" | "closed";
};

const day = 24;

export function openDesk(simulation: Simulation, index: number, engineers: readonly string[]): void {
  const { known, time } = simulation;
  const chance = streamOf(simulation, `case ${index}`);
  time.live(async () => {
    await time.pass(chance.hours(8 * day));
    const stampIds = [...known.stamps.keys()].filter(() => chance.happens(4 / known.stamps.size));
    const number = `2411${String(chance.below(10 ** 8)).padStart(8, "0")}${String(index).padStart(4, "0")}`;
    const one: KnownCase = { caseNumber: number, stampIds: new Set(stampIds), closings: [], boxes: [] };
    known.cases.set(number, one);
    const desk: Desk = {
      known: one,
      path: `/cases/${number}`,
      chance,
      kind: chance.happens(0.25) ? "productHealth" : "support",
      assignees: new Set(engineers.filter(() => chance.happens(0.3))),
      grants: [],
      revision: 0,
      state: "open",
    };
    while ((await put(simulation, desk)).kind !== "done") await time.pass(1);
    for (;;) {
      await time.pass(chance.hours(14));
      await work(simulation, desk, engineers);
    }
  });
}

type Deed = (simulation: Simulation, desk: Desk, engineers: readonly string[]) => Promise<void>;

/** What a case's people do, and how often: the shares are of one. */
const deeds: readonly (readonly [number, Deed])[] = [
  [0.27, link],
  [0.24, grant],
  [0.15, (simulation, desk) => readSome(simulation, desk, readWhole)],
  [0.08, (simulation, desk) => readSome(simulation, desk, readFile)],
  [0.04, unlink],
  [0.04, revoke],
  [0.08, closeOrReopen],
  [0.06, reassign],
  [0.04, openDropBox],
];

async function work(simulation: Simulation, desk: Desk, engineers: readonly string[]): Promise<void> {
  let draw = desk.chance.unit();
  for (const [share, deed] of deeds) {
    draw -= share;
    if (draw < 0) return await deed(simulation, desk, engineers);
  }
}

async function put(simulation: Simulation, desk: Desk): Promise<Outcome> {
  desk.revision += 1;
  const body = {
    revision: desk.revision,
    kind: desk.kind,
    state: desk.state,
    stampIds: [...desk.known.stampIds],
    assignees: [...desk.assignees],
    title: `Case ${desk.known.caseNumber}`,
  };
  const send = async () => (await simulation.stage().person("C")).call("PUT", desk.path, body);
  return await insist(simulation, desk.chance, `case ${desk.state}`, send, []);
}

async function closeOrReopen(simulation: Simulation, desk: Desk): Promise<void> {
  const { closings } = desk.known;
  if (desk.state === "open" && desk.chance.happens(0.5)) return;
  desk.state = desk.state === "open" ? "closed" : "open";
  const closing: Ending | undefined =
    desk.state === "closed" ? { askedOn: simulation.time.now().getTime() } : undefined;
  if (closing !== undefined) closings.push(closing);
  const outcome = await put(simulation, desk);
  if (closing !== undefined && heardOf(outcome) === "done") closing.acknowledgedOn = simulation.time.now().getTime();
}

async function reassign(simulation: Simulation, desk: Desk, engineers: readonly string[]): Promise<void> {
  const oid = desk.chance.oneOf(engineers) ?? "";
  if (!desk.assignees.delete(oid)) desk.assignees.add(oid);
  await put(simulation, desk);
}

const unknowing = ["NotFound"];

async function link(simulation: Simulation, desk: Desk): Promise<void> {
  const [bundle, oid] = [someBundle(simulation, desk), desk.chance.oneOf([...desk.assignees])];
  if (bundle === undefined || oid === undefined) return;
  const { linkedTo } = bundle;
  const wasAsked = linkedTo.has(desk.known.caseNumber);
  linkedTo.add(desk.known.caseNumber);
  const place = `${desk.path}/stamps/${bundle.stampId}/bundles/${bundle.bundleId}`;
  const send = async () => (await simulation.stage().person("E", oid)).call("PUT", place);
  const refusals = [...unknowing, "CaseNotOpen", "InvalidState"];
  const outcome = await insist(simulation, desk.chance, "linked", send, refusals);
  if (heardOf(outcome) === "refused" && !wasAsked) linkedTo.delete(desk.known.caseNumber);
}

async function unlink(simulation: Simulation, desk: Desk): Promise<void> {
  const bundle = someBundle(simulation, desk, (each) => each.linkedTo.has(desk.known.caseNumber));
  if (bundle === undefined) return;
  const place = `${desk.path}/stamps/${bundle.stampId}/bundles/${bundle.bundleId}`;
  const send = async () => (await simulation.stage().person("C")).call("DELETE", place);
  await insist(simulation, desk.chance, "unlinked", send, [...unknowing, "CaseNotOpen"]);
}

/** Of the case's stamps and drop boxes, the later the likelier. */
function someBundle(
  { known }: Simulation,
  { known: { boxes, stampIds }, chance }: Desk,
  fits: (bundle: KnownBundle) => boolean = () => true,
): KnownBundle | undefined {
  const sent = [...stampIds].flatMap((stampId) => known.stamps.get(stampId)?.bundles ?? []);
  const dropped = boxes.flatMap(({ writes }) => writes.flatMap(({ bundle }) => bundle ?? []));
  const all = [...sent, ...dropped].filter(fits).sort((one, other) => one.askedOn - other.askedOn);
  return chance.oneOf(chance.happens(0.8) ? all.slice(-20) : all);
}

async function openDropBox(simulation: Simulation, { assignees, chance, known, state }: Desk): Promise<void> {
  const oid = chance.oneOf([...assignees]);
  if (state === "closed" || oid === undefined) return;
  const own = streamOf(simulation, `box ${known.caseNumber}/${known.boxes.length}`);
  simulation.time.live(() => useDropBox(simulation, known, oid, own));
}

async function grant(simulation: Simulation, desk: Desk): Promise<void> {
  const { chance } = desk;
  const oid = chance.oneOf([...desk.assignees]);
  const isLinked = (each: KnownBundle) => each.linkedTo.has(desk.known.caseNumber) && each.submitted !== undefined;
  const some = [someBundle(simulation, desk, isLinked), someBundle(simulation, desk, isLinked)];
  const bundles = [...new Set(some)].filter((each) => each !== undefined);
  if (oid === undefined || bundles.length === 0) return;
  const foreign = chance.happens(0.4) ? chance.oneOf(foreignGrants(simulation, desk, bundles)) : undefined;
  const grantId = foreign?.grantId ?? chance.guid();
  const body = {
    bundles: bundles.map(({ stampId, bundleId }) => ({ stampId, bundleId })),
    purpose: desk.kind === "support" ? "troubleshooting" : "productHealth",
    justification: "The update failed and the customer waits.",
    durationMinutes: 15 + chance.below(465),
  };
  const send = async () =>
    (await simulation.stage().person("E", oid)).call("PUT", `${desk.path}/accessGrants/${grantId}`, body);
  const given: KnownGrant = {
    caseNumber: desk.known.caseNumber,
    grantId,
    oid,
    bundles,
    approvalOf: new Set(),
    approved: new Map(),
    denied: new Map(),
    tell: () => simulation.time.live(() => readSome(simulation, desk, chance.pick([readWhole, readFile]), given)),
  };
  simulation.known.grants.set(grantKey(given), given);
  const what = foreign === undefined ? "granted" : "granted under a foreign id";
  const refusals = foreign === undefined ? notLendable : [...notLendable, "GrantConflict"];
  const outcome = await insist(simulation, chance, what, send, refusals);
  if (outcome.kind !== "done") return;
  const { approval } = grantShape.parse(outcome.answer.json);
  for (const stampId of approval?.stampIds ?? []) given.approvalOf.add(stampId);
  desk.grants.push(given);
  await readSome(simulation, desk, chance.pick([readWhole, readFile]), given);
}

/** Other cases' grants on a stamp of these bundles whose id this case has not used: an engineer may use it again, by accident or on purpose. */
function foreignGrants({ known }: Simulation, desk: Desk, bundles: readonly KnownBundle[]): KnownGrant[] {
  const { caseNumber } = desk.known;
  const stampIds = new Set(bundles.map(({ stampId }) => stampId));
  return [...known.grants.values()].filter(
    ({ approvalOf, grantId }) =>
      [...approvalOf].some((stampId) => stampIds.has(stampId)) && !known.grants.has(grantKey({ caseNumber, grantId })),
  );
}

async function readSome(
  simulation: Simulation,
  { chance, grants, path }: Desk,
  read: typeof readWhole,
  lent = chance.happens(0.8) ? grants.at(-1) : chance.oneOf(grants),
): Promise<void> {
  const bundle = chance.oneOf(lent?.bundles ?? []);
  if (lent !== undefined && bundle !== undefined) await read(simulation, { chance, path, lent, bundle });
}

async function revoke(simulation: Simulation, desk: Desk): Promise<void> {
  const given = desk.chance.oneOf(desk.grants);
  if (given === undefined) return;
  const path = `${desk.path}/accessGrants/${given.grantId}:revoke`;
  const send = async () => (await simulation.stage().person("E", given.oid)).call("POST", path);
  await insist(simulation, desk.chance, "revoked", send, unknowing);
}
