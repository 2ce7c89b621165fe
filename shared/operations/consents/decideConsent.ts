import { randomUUID } from "node:crypto";
import { currentTerms } from "../../../terms/index.ts";
import type { Consent, ConsentDecision } from "../../api/consents.ts";
import { type DecisionRecord, decide, isStanding, purposesOf } from "../../domain/consent.ts";
import { type Condition, isConditional, requireCondition } from "../../domain/etag.ts";
import type { NewEvent } from "../../domain/event.ts";
import type { StampRecord, StandingConsent } from "../../domain/stamp.ts";
import { DomainError } from "../../errors.ts";
import { settleStampSoon } from "../bundles/settleStamp.ts";
import { actorOf, type StampCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { operatorOf } from "../operator.ts";
import { requireWriter } from "../refusals.ts";
import { transact } from "../transact.ts";
import { signSoon } from "./receipts.ts";
import { standingConsentView } from "./view.ts";

/** When the sweeper looks whether the receipt was signed. */
const receiptDueMs = 60_000;

/**
 * Records the operator's decision on proactive collection, and signs a receipt of it as soon as that can be. Equal to the standing decision: nothing new.
 * Disabling cancels proactive uploads that are not yet submitted, and nothing else (invariant 4).
 */
export async function decideConsent(
  world: World,
  caller: StampCaller,
  said: ConsentDecision,
  condition: Condition,
): Promise<Consent> {
  requireCurrentTerms(said.termsVersion);
  const { clock, people, schedule, stamps } = world;
  const { stampId } = caller;
  const decidedBy = await operatorOf(world, stampId, said.decidedBy);
  return await transact(
    () => stamps.head(stampId),
    async (head) => {
      const standing = requireWriter(head, caller, clock);
      if (isConditional(condition)) requireCondition(condition, await standingConsentView(world, standing));
      const decision = { ...said, decidedBy, purposes: purposesOf(said.purposes) };
      if (isStanding(standing, decision)) return await standingConsentView(world, standing);

      const now = clock.now();
      const stamp = decide(standing, decision, randomUUID(), now);
      const record = recordOf(stamp, stamp.consent);
      const event: NewEvent = {
        type: "consent.decided",
        actor: actorOf(caller),
        data: { stampId, ...record },
      };
      const { decisionId, decidedOn } = record;
      const receiptWork = {
        kind: "receipt",
        stampId,
        decisionId,
        decidedOn,
        ...stamps.foresee(head, [event], now),
      } as const;
      await schedule.remember(receiptWork, new Date(now.getTime() + receiptDueMs));
      await people.wrote(decidedBy, { partition: head.partition, noteId: decisionId });
      const settle = await settleStampSoon(world, standing, stamp);
      await stamps.commit(stampId, head, { sender: stamp, events: [event], decision: record }, now);
      await settle();
      const receipt = await signSoon(world, receiptWork);
      return { ...record, decidedBy: said.decidedBy, ...(receipt === undefined ? {} : { receipt }) };
    },
    caller.head,
  );
}

function requireCurrentTerms(version: string): void {
  if (version === currentTerms.version) return;
  throw new DomainError(
    "InvalidBody",
    `The current terms are version ${currentTerms.version}: show them to the operator (GET /terms/${currentTerms.version}) and name that version.`,
    {
      target: "/termsVersion",
    },
  );
}

const recordOf = (stamp: StampRecord, consent: StandingConsent): DecisionRecord => ({
  decisionId: consent.decisionId,
  state: consent.state,
  decidedOn: consent.decidedOn,
  decidedBy: consent.decidedBy,
  purposes: consent.purposes,
  termsVersion: consent.termsVersion,
  termsSha256: currentTerms.sha256,
  registrationGeneration: stamp.registrationGeneration,
});
