import { terms } from "../../../terms/index.ts";
import type { Consent } from "../../api/consents.ts";
import type { StampId } from "../../api/primitives.ts";
import type { DecisionRecord } from "../../domain/consent.ts";
import { subjectId } from "../../domain/people.ts";
import type { StampRecord } from "../../domain/stamp.ts";
import type { World } from "../needs.ts";

type Needs = Pick<World, "stamps" | "people">;

/** The standing consent as the contract shows it; `notGiven` where the present registration generation has none. */
export async function standingConsentView(world: Needs, stamp: StampRecord): Promise<Consent> {
  if (stamp.consent === undefined) return { state: "notGiven" };
  const { enabledSince: _enabledSince, ...consent } = stamp.consent;
  return await decisionView(world, stamp.stampId, {
    ...consent,
    termsSha256: terms.find((each) => each.version === consent.termsVersion)?.sha256 ?? "",
    registrationGeneration: stamp.registrationGeneration,
  });
}

/** A decision with the operator's name and the receipt, as long as both are remembered. */
export async function decisionView(world: Needs, stampId: StampId, decision: DecisionRecord): Promise<Consent> {
  const [operator, receipt] = await Promise.all([
    world.people.whois(subjectId.parse(decision.decidedBy)),
    world.stamps.note(stampId, decision.decisionId),
  ]);
  const { decidedBy: _subject, ...shown } = decision;
  return {
    ...shown,
    ...(operator === undefined ? {} : { decidedBy: operator.identity }),
    ...(receipt === undefined ? {} : { receipt: receipt.text }),
  };
}
