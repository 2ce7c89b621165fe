import * as z from "zod";
import type { ConsentDecision } from "../api/consents.ts";
import { guid, type Purpose, purpose, toUtcTime, utcTime } from "../api/primitives.ts";
import type { StampRecord, StandingConsent } from "./stamp.ts";

/** Standing consent to proactive collection (`DOMAIN.md`, promises 5 and 6). */

export const bothPurposes: readonly Purpose[] = ["troubleshooting", "productHealth"];

/** In the order of the contract, both where none are named. */
export const purposesOf = (named: readonly Purpose[] | undefined): Purpose[] =>
  bothPurposes.filter((purpose) => named === undefined || named.includes(purpose));

/** What was decided, with the operator as a subject id. */
export type Decision = Omit<ConsentDecision, "decidedBy" | "purposes"> & {
  readonly decidedBy: string;
  readonly purposes: Purpose[];
};

/** A decision as it is kept, and as its event tells it: with the digest of the terms, and the registration it was made under. */
export const decisionRecord = z.object({
  decisionId: guid,
  state: z.enum(["enabled", "disabled"]),
  decidedOn: utcTime,
  decidedBy: z.string(),
  purposes: z.array(purpose),
  termsVersion: z.string(),
  termsSha256: z.string(),
  registrationGeneration: z.int(),
});
export type DecisionRecord = z.infer<typeof decisionRecord>;

/** Whether the standing consent already says just this. */
export const isStanding = (stamp: StampRecord, decision: Decision): boolean =>
  stamp.consent !== undefined &&
  stamp.consent.state === decision.state &&
  stamp.consent.decidedBy === decision.decidedBy &&
  stamp.consent.termsVersion === decision.termsVersion &&
  stamp.consent.purposes.join() === decision.purposes.join();

/** The stamp under a new decision. Disabling raises the consent epoch, which ends proactive uploads that are not yet submitted. */
export function decide(
  stamp: StampRecord,
  decision: Decision,
  decisionId: string,
  now: Date,
): StampRecord & { consent: StandingConsent } {
  const decidedOn = toUtcTime(now);
  const enabledSince = decision.state === "enabled" ? (stamp.consent?.enabledSince ?? decidedOn) : undefined;
  const consent: StandingConsent = {
    decisionId,
    decidedOn,
    ...decision,
    ...(enabledSince === undefined ? {} : { enabledSince }),
  };
  const ends = decision.state === "disabled";
  return { ...stamp, consent, consentEpoch: stamp.consentEpoch + (ends ? 1 : 0) };
}
