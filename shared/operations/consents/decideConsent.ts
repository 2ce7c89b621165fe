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
import { newestAnchor } from "../compliance/checkpoints.ts";
import type { StampHead, World } from "../needs.ts";
import { newNote } from "../note.ts";
import { operatorOf } from "../operator.ts";
import { requireWriter } from "../refusals.ts";
import { transact } from "../transact.ts";
import { standingConsentView } from "./view.ts";

/**
 * Records the operator's decision on proactive collection, with a signed receipt of it. Equal to the standing decision: nothing new.
 * Disabling cancels proactive uploads that are not yet submitted, and nothing else (invariant 4).
 */
export async function decideConsent(
  world: World,
  caller: StampCaller,
  said: ConsentDecision,
  condition: Condition,
): Promise<Consent> {
  requireCurrentTerms(said.termsVersion);
  const { stamps, people, clock } = world;
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
      const receipt = newNote(await signReceipt(world, head, event, record, said.decidedBy, now), record.decisionId);
      await people.wrote(decidedBy, { partition: head.partition, noteId: receipt.noteId });
      const settle = await settleStampSoon(world, standing, stamp);
      await stamps.commit(stampId, head, { sender: stamp, events: [event], decision: record, notes: [receipt] }, now);
      await settle();
      return { ...record, decidedBy: said.decidedBy, receipt: receipt.text };
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

/** The receipt names its place in the ledger, so it is signed over the event as it will stand there. */
async function signReceipt(
  world: Pick<World, "checkpoints" | "papers" | "rules" | "clock" | "stamps">,
  head: StampHead,
  event: NewEvent,
  record: DecisionRecord,
  decidedBy: string,
  now: Date,
): Promise<string> {
  const position = world.stamps.foresee(head, [event], now);
  return await world.papers.sign("consent-receipt+jwt", {
    iss: world.rules.publicOrigin,
    iat: Math.floor(world.clock.real().getTime() / 1000),
    jti: record.decisionId,
    sub: event.actor.id,
    decision: record.state,
    decidedBy,
    decidedOn: record.decidedOn,
    purposes: record.purposes,
    termsVersion: record.termsVersion,
    termsSha256: record.termsSha256,
    registrationGeneration: record.registrationGeneration,
    ledger: { partition: head.partition, seq: position.seq, hash: position.hash },
    ...(await newestAnchor(world)),
  });
}
