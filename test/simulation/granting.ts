import { grantShape } from "../support/system/shapes.ts";
import type { Chance } from "./chance.ts";
import { type Desk, isLinkedTo, linkBundle, someBundle } from "./desk.ts";
import { grantKey, type KnownBundle, type KnownGrant } from "./known.ts";
import { notLendable, readFile, readWhole } from "./reading.ts";
import { insist, type Simulation, streamOf } from "./simulation.ts";

/** Engineers ask for grants and use them: mostly under an id of their own, and now and then under that of another case's grant. */

export async function grant(simulation: Simulation, desk: Desk): Promise<void> {
  const { chance } = desk;
  const oid = chance.oneOf([...desk.assignees]);
  const isLinked = isLinkedTo(desk.known.caseNumber);
  const some = [someBundle(simulation, desk, isLinked), someBundle(simulation, desk, isLinked)];
  const bundles = [...new Set(some)].filter((each) => each !== undefined);
  if (oid === undefined || bundles.length === 0) return;
  await askFor(simulation, desk, {
    oid,
    bundles,
    grantId: chance.guid(),
    chance,
    what: "granted",
    refusals: notLendable,
  });
}

/** Somebody of the case has heard of another case's grant and asks for one under its id, on bundles of a stamp that was asked for that one. */
export async function useForeignId(simulation: Simulation, desk: Desk, foreign: KnownGrant): Promise<void> {
  const { caseNumber } = desk.known;
  const { grantId } = foreign;
  const chance = streamOf(simulation, `foreign id ${caseNumber}/${grantId}`);
  const oid = chance.oneOf([...desk.assignees]);
  const isOfAsked = (each: KnownBundle) => each.submitted !== undefined && foreign.approvalOf.has(each.stampId);
  const bundle = someBundle(simulation, desk, isOfAsked);
  const isNew = !simulation.known.grants.has(grantKey({ caseNumber, grantId }));
  if (oid === undefined || bundle === undefined || desk.state === "closed" || !isNew) return;
  if (!isLinkedTo(caseNumber)(bundle)) await linkBundle(simulation, desk, bundle, oid, chance);
  const refusals = [...notLendable, "GrantConflict"];
  await askFor(simulation, desk, {
    oid,
    bundles: [bundle],
    grantId,
    chance,
    what: "granted under a foreign id",
    refusals,
  });
}

type Wish = {
  readonly oid: string;
  readonly bundles: readonly KnownBundle[];
  readonly grantId: string;
  readonly chance: Chance;
  readonly what: string;
  readonly refusals: readonly string[];
};

/** Asks for a grant, and reads under it at once. */
async function askFor(simulation: Simulation, desk: Desk, wish: Wish): Promise<void> {
  const { oid, bundles, grantId, chance, what, refusals } = wish;
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
  const outcome = await insist(simulation, chance, what, send, refusals);
  if (outcome.kind !== "done") return;
  const { approval } = grantShape.parse(outcome.answer.json);
  for (const stampId of approval?.stampIds ?? []) given.approvalOf.add(stampId);
  desk.grants.push(given);
  await readSome(simulation, desk, chance.pick([readWhole, readFile]), given);
}

export async function readSome(
  simulation: Simulation,
  { chance, grants, path }: Desk,
  read: typeof readWhole,
  lent = chance.happens(0.8) ? grants.at(-1) : chance.oneOf(grants),
): Promise<void> {
  const bundle = chance.oneOf(lent?.bundles ?? []);
  if (lent !== undefined && bundle !== undefined) await read(simulation, { chance, path, lent, bundle });
}
