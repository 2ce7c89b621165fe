import { accessRequestPage } from "../support/system/shapes.ts";
import type { Chance } from "./chance.ts";
import type { Member } from "./fleet.ts";
import { grantKey, heard, type KnownGrant, type Said } from "./known.ts";
import { heardOf, insist, type Simulation } from "./simulation.ts";

/** The operator of a stamp: whether access to its bundles is to be asked for, and what they answer when it is. */

const operator = { decidedBy: "operator-1@contoso.example" };

export async function decideOnApproval(simulation: Simulation, { known, call }: Member, chance: Chance): Promise<void> {
  const mode = chance.happens(0.7) ? "required" : "notRequired";
  const send = () => call("PUT", `/stamps/${known.stampId}/accessApproval`, { mode, ...operator });
  await insist(simulation, chance, `approval ${mode}`, send, ["StampDisabled"]);
}

/** Answers some of what waits, and leaves the rest, which may lapse. Now and then an approval is taken back. */
export async function answerRequests(simulation: Simulation, member: Member, chance: Chance): Promise<void> {
  const path = `/stamps/${member.known.stampId}/accessRequests`;
  const listed = await insist(simulation, chance, "requests listed", () => member.call("GET", path), ["StampDisabled"]);
  if (listed.kind !== "done") return;
  for (const request of accessRequestPage.parse(listed.answer.json).value) {
    const grant = simulation.known.grants.get(grantKey(request));
    if (grant === undefined) throw new Error(`Access was asked for that nobody wants: grant ${grantKey(request)}`);
    const draw = chance.unit();
    if (draw < 0.55) await approve(simulation, member, chance, grant);
    else if (draw < 0.75) await deny(simulation, member, chance, grant);
  }
}

async function approve(simulation: Simulation, member: Member, chance: Chance, grant: KnownGrant): Promise<void> {
  await answer(simulation, member, chance, grant, "approve", grant.approved);
  grant.tell();
  if (grant.approved.get(member.known.stampId) === "acknowledged") letOthersHear(simulation, chance, grant);
  if (!chance.happens(0.3)) return;
  await simulation.time.pass(chance.hours(3));
  await deny(simulation, member, chance, grant);
}

/** The id of what an operator approved is worth something to another case. */
function letOthersHear({ known }: Simulation, chance: Chance, grant: KnownGrant): void {
  for (const each of known.cases.values()) {
    if (each.caseNumber !== grant.caseNumber && chance.happens(0.5)) each.overhear(grant);
  }
}

const deny = (simulation: Simulation, member: Member, chance: Chance, grant: KnownGrant): Promise<void> =>
  answer(simulation, member, chance, grant, "deny", grant.denied);

async function answer(
  simulation: Simulation,
  { known: { stampId }, call }: Member,
  chance: Chance,
  { grantId }: KnownGrant,
  verb: "approve" | "deny",
  said: Map<string, Said>,
): Promise<void> {
  const before = said.get(stampId);
  said.set(stampId, before ?? "asked");
  const body = { ...operator, ...(verb === "deny" ? { reason: "Our lawyers say no." } : {}) };
  const send = () => call("POST", `/stamps/${stampId}/accessRequests/${grantId}:${verb}`, body);
  const outcome = await insist(simulation, chance, `access: ${verb}`, send, ["InvalidState", "StampDisabled"]);
  said.set(stampId, heard(before, heardOf(outcome)));
}
