import type { StampId } from "../../api/primitives.ts";
import type { DecisionRecord } from "../../domain/consent.ts";
import { subjectId } from "../../domain/people.ts";
import { newestAnchor } from "../compliance/checkpoints.ts";
import type { Unfinished, World } from "../needs.ts";
import { newNote } from "../note.ts";

/**
 * A decision on consent holds from its commit on; its receipt is signed afterwards, so that revoking depends on no signing key. What cannot be signed
 * at once the sweeper signs. Safe to repeat: the first receipt that is kept stays.
 */

type Needs = Pick<World, "checkpoints" | "clock" | "log" | "papers" | "people" | "rules" | "schedule" | "stamps">;

export type ReceiptWork = Extract<Unfinished, { kind: "receipt" }>;

/** How long the answer to a decision waits for its receipt. */
const waitMs = 3_000;

/** Signs within a moment, or leaves it to the sweeper. Gives the receipt where it is there by then. */
export async function signSoon(world: Needs, work: ReceiptWork): Promise<string | undefined> {
  const signing = finishReceipt(world, work).catch((error: unknown) => {
    world.log.error("receipt.signLater", error, { stampId: work.stampId, decisionId: work.decisionId });
    return undefined;
  });
  const { promise: over, resolve: end } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => end(undefined), waitMs);
  try {
    return await Promise.race([signing, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined where there is nothing to sign: the decision was never committed, or who made it was forgotten. */
export async function finishReceipt(world: Needs, work: ReceiptWork): Promise<string | undefined> {
  const { people, schedule, stamps } = world;
  const { stampId } = work;
  const decision = await stamps.decision(stampId, work);
  const operator = decision && (await people.whois(subjectId.parse(decision.decidedBy)));
  const standing = await stamps.note(stampId, work.decisionId);
  const isToSign = decision !== undefined && operator !== undefined && standing === undefined;
  const receipt = isToSign ? await keep(world, work, decision, operator.identity) : standing?.text;
  await schedule.forget(work);
  return receipt;
}

async function keep(world: Needs, work: ReceiptWork, decision: DecisionRecord, decidedBy: string): Promise<string> {
  const receipt = await sign(world, work, decision, decidedBy);
  return (await world.stamps.keepNote(work.stampId, newNote(receipt, work.decisionId))).text;
}

/** The receipt names its decision's place in the ledger. */
async function sign(world: Needs, work: ReceiptWork, decision: DecisionRecord, decidedBy: string): Promise<string> {
  const { seq, hash, stampId } = work;
  return await world.papers.sign("consent-receipt+jwt", {
    iss: world.rules.publicOrigin,
    iat: Math.floor(world.clock.real().getTime() / 1000),
    jti: decision.decisionId,
    sub: stampId,
    decision: decision.state,
    decidedBy,
    decidedOn: decision.decidedOn,
    purposes: decision.purposes,
    termsVersion: decision.termsVersion,
    termsSha256: decision.termsSha256,
    registrationGeneration: decision.registrationGeneration,
    ledger: { partition: partitionOf(stampId), seq, hash },
    ...(await newestAnchor(world)),
  });
}

const partitionOf = (stampId: StampId): string => `stamps/${stampId}`;
