import { grantShape, issuedUrlShape } from "../support/system/shapes.ts";
import { getBlob } from "../support/system/storage.ts";
import { sha256Hex } from "../support/system/zip.ts";
import type { Chance } from "./chance.ts";
import type { Ending, KnownBundle, KnownCase } from "./known.ts";
import { count, heardOf, insist, type Outcome, type Simulation, streamOf, throughUrl } from "./simulation.ts";

/** Support: cases that open, close and open again, whose assigned engineers link bundles, are granted access, and read. */

type Desk = {
  readonly known: KnownCase;
  readonly path: string;
  readonly chance: Chance;
  readonly kind: "support" | "productHealth";
  readonly assignees: Set<string>;
  readonly grants: { readonly grantId: string; readonly oid: string; readonly bundles: readonly KnownBundle[] }[];
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
    const one: KnownCase = { caseNumber: number, stampIds: new Set(stampIds), closings: [] };
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

async function work(simulation: Simulation, desk: Desk, engineers: readonly string[]): Promise<void> {
  const { chance } = desk;
  const draw = chance.unit();
  if (draw < 0.3) await link(simulation, desk);
  else if (draw < 0.5) await grant(simulation, desk);
  else if (draw < 0.75) await read(simulation, desk);
  else if (draw < 0.8) await unlink(simulation, desk);
  else if (draw < 0.85) await revoke(simulation, desk);
  else if (draw < 0.93) await closeOrReopen(simulation, desk);
  else await reassign(simulation, desk, engineers);
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
  bundle.linkedTo.add(desk.known.caseNumber);
  const place = `${desk.path}/stamps/${bundle.stampId}/bundles/${bundle.bundleId}`;
  const send = async () => (await simulation.stage().person("E", oid)).call("PUT", place);
  await insist(simulation, desk.chance, "linked", send, [...unknowing, "CaseNotOpen", "InvalidState"]);
}

async function unlink(simulation: Simulation, desk: Desk): Promise<void> {
  const bundle = someBundle(simulation, desk, (each) => each.linkedTo.has(desk.known.caseNumber));
  if (bundle === undefined) return;
  const place = `${desk.path}/stamps/${bundle.stampId}/bundles/${bundle.bundleId}`;
  const send = async () => (await simulation.stage().person("C")).call("DELETE", place);
  await insist(simulation, desk.chance, "unlinked", send, [...unknowing, "CaseNotOpen"]);
}

/** Of the case's stamps, the later the likelier. */
function someBundle(
  { known }: Simulation,
  { known: { stampIds }, chance }: Desk,
  fits: (bundle: KnownBundle) => boolean = () => true,
): KnownBundle | undefined {
  const all = [...stampIds].flatMap((stampId) => known.stamps.get(stampId)?.bundles ?? []).filter(fits);
  return chance.oneOf(chance.happens(0.8) ? all.slice(-20) : all);
}

const notLendable = [
  ...unknowing,
  "CaseNotOpen",
  "GrantNotActive",
  "NotTheGrantee",
  "StampNotOnCase",
  "BundleNotLinked",
  "BundleNotAccepted",
  "PurgeDue",
  "PurposeNotConsented",
  "StampDisabled",
];

async function grant(simulation: Simulation, desk: Desk): Promise<void> {
  const { chance } = desk;
  const oid = chance.oneOf([...desk.assignees]);
  const isLinked = (each: KnownBundle) => each.linkedTo.has(desk.known.caseNumber) && each.submitted !== undefined;
  const bundles = [...new Set([someBundle(simulation, desk, isLinked), someBundle(simulation, desk, isLinked)])].filter(
    (each) => each !== undefined,
  );
  if (oid === undefined || bundles.length === 0) return;
  const grantId = chance.guid();
  const body = {
    bundles: bundles.map(({ stampId, bundleId }) => ({ stampId, bundleId })),
    purpose: desk.kind === "support" ? "troubleshooting" : "productHealth",
    justification: "The update failed and the customer waits.",
    durationMinutes: 15 + chance.below(465),
  };
  const send = async () =>
    (await simulation.stage().person("E", oid)).call("PUT", `${desk.path}/accessGrants/${grantId}`, body);
  const outcome = await insist(simulation, chance, "granted", send, notLendable);
  if (outcome.kind !== "done") return;
  grantShape.parse(outcome.answer.json);
  desk.grants.push({ grantId, oid, bundles });
  await read(simulation, desk);
}

/** [invariant 6] What is read is what the stamp signed. */
async function read(simulation: Simulation, desk: Desk): Promise<void> {
  const { chance } = desk;
  const lent = chance.happens(0.8) ? desk.grants.at(-1) : chance.oneOf(desk.grants);
  const bundle = chance.oneOf(lent?.bundles ?? []);
  if (lent === undefined || bundle === undefined) return;
  const asked = { stampId: bundle.stampId, bundleId: bundle.bundleId };
  const path = `${desk.path}/accessGrants/${lent.grantId}:issueUrl`;
  const send = async () => (await simulation.stage().person("E", lent.oid)).call("POST", path, asked);
  const outcome = await insist(simulation, chance, "URL", send, notLendable);
  if (outcome.kind !== "done") return;
  const { url } = issuedUrlShape.parse(outcome.answer.json);
  simulation.known.urls.push({ url, bundle });
  const got = await throughUrl(() => getBlob(url));
  count(simulation, `read: ${got.status}`);
  if (![200, 403, 404].includes(got.status)) throw new Error(`An issued URL answers ${got.status} ${got.text}`);
  if (got.status === 200 && sha256Hex(got.body) !== bundle.sha256)
    throw new Error(`Bundle ${bundle.bundleId} is read as another than its stamp signed`);
}

async function revoke(simulation: Simulation, desk: Desk): Promise<void> {
  const given = desk.chance.oneOf(desk.grants);
  if (given === undefined) return;
  const path = `${desk.path}/accessGrants/${given.grantId}:revoke`;
  const send = async () => (await simulation.stage().person("E", given.oid)).call("POST", path);
  await insist(simulation, desk.chance, "revoked", send, unknowing);
}
