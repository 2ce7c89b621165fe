import { type Desk, linkBundle, someBundle } from "./desk.ts";
import { useDropBox } from "./dropBox.ts";
import { grant, readSome, useForeignId } from "./granting.ts";
import type { Ending, KnownCase } from "./known.ts";
import { readFile, readWhole } from "./reading.ts";
import { heardOf, insist, type Outcome, type Simulation, streamOf } from "./simulation.ts";

/** Support: cases that open, close and open again, whose assigned engineers open drop boxes, link bundles, are granted access, and read. */

const day = 24;

export function openDesk(simulation: Simulation, index: number, engineers: readonly string[]): void {
  const { known, time } = simulation;
  const chance = streamOf(simulation, `case ${index}`);
  time.live(async () => {
    await time.pass(chance.hours(8 * day));
    const stampIds = [...known.stamps.keys()].filter(() => chance.happens(4 / known.stamps.size));
    const number = `2411${String(chance.below(10 ** 8)).padStart(8, "0")}${String(index).padStart(4, "0")}`;
    const one: KnownCase = {
      caseNumber: number,
      stampIds: new Set(stampIds),
      closings: [],
      boxes: [],
      overhear: (foreign) => time.live(() => useForeignId(simulation, desk, foreign)),
    };
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
  if (bundle !== undefined && oid !== undefined) await linkBundle(simulation, desk, bundle, oid, desk.chance);
}

async function unlink(simulation: Simulation, desk: Desk): Promise<void> {
  const bundle = someBundle(simulation, desk, (each) => each.linkedTo.has(desk.known.caseNumber));
  if (bundle === undefined) return;
  const place = `${desk.path}/stamps/${bundle.stampId}/bundles/${bundle.bundleId}`;
  const send = async () => (await simulation.stage().person("C")).call("DELETE", place);
  await insist(simulation, desk.chance, "unlinked", send, [...unknowing, "CaseNotOpen"]);
}

async function openDropBox(simulation: Simulation, { assignees, chance, known, state }: Desk): Promise<void> {
  const oid = chance.oneOf([...assignees]);
  if (state === "closed" || oid === undefined) return;
  const own = streamOf(simulation, `box ${known.caseNumber}/${known.boxes.length}`);
  simulation.time.live(() => useDropBox(simulation, known, oid, own));
}

async function revoke(simulation: Simulation, desk: Desk): Promise<void> {
  const given = desk.chance.oneOf(desk.grants);
  if (given === undefined) return;
  const path = `${desk.path}/accessGrants/${given.grantId}:revoke`;
  const send = async () => (await simulation.stage().person("E", given.oid)).call("POST", path);
  await insist(simulation, desk.chance, "revoked", send, unknowing);
}
