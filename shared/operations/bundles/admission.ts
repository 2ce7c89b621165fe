import type { BundleRequest } from "../../api/bundles.ts";
import type { BundleId } from "../../api/primitives.ts";
import { isCreatable, type Question } from "../../domain/creation.ts";
import { asStamp } from "../../domain/sender.ts";
import type { StampRecord } from "../../domain/stamp.ts";
import { plainRank, type StormRefusal, stormRefusal, tooManyRequests } from "../../domain/storms.ts";
import type { SendingCaller } from "../caller.ts";
import { claimHolds } from "../cases/linkClaim.ts";
import type { World } from "../needs.ts";

/** Whether a new bundle is taken: what refuses it whenever it comes (`domain/creation.ts`), and what refuses it for now (`domain/storms.ts`). */

/** What the rules ask about a bundle to come. */
type Announcement = Pick<BundleRequest, "mode" | "trigger" | "caseNumber" | "sizeBytes">;

type Needs = Pick<World, "cases" | "clock" | "falseClaims" | "intake" | "rules">;

export const creationQuestion = (
  { rules }: Pick<World, "rules">,
  { clientVersion }: Pick<SendingCaller, "clientVersion">,
  stamp: StampRecord,
  request: Question["request"],
): Question => ({ stamp, request, clientVersion, oldest: rules.oldestVersions });

/**
 * What refuses a new bundle of the stamp, if any rule does. A claim to a case is looked at only where it decides: where the request is refused
 * without it and would be taken with it.
 */
export async function stormRefusalOf(
  world: Needs,
  stamp: StampRecord,
  request: Announcement,
): Promise<StormRefusal | undefined> {
  const { clock, intake, rules } = world;
  if (rules.limits === undefined) return undefined;
  const now = clock.now();
  const question = {
    rank: plainRank(request),
    sizeBytes: request.sizeBytes,
    faultId: request.trigger?.faultId,
    load: stamp.load,
    serviceBytes: intake.bytesOn(now),
    limits: rules.limits,
    now,
  };
  const refusal = stormRefusal(question);
  const asLinked = refusal && stormRefusal({ ...question, rank: "caseLinked" });
  if (refusal === undefined || asLinked !== undefined) return refusal;
  return (await isCaseLinked(world, stamp, request)) ? undefined : refusal;
}

async function isCaseLinked(world: Needs, { stampId }: StampRecord, { caseNumber }: Announcement): Promise<boolean> {
  const realNow = world.clock.real();
  if (caseNumber === undefined || world.falseClaims.tooMany(stampId, realNow)) return false;
  const holds = await claimHolds(world, stampId, caseNumber);
  if (!holds) world.falseClaims.add(stampId, realNow);
  return holds;
}

/**
 * Throws `TooManyRequests` where the bundle is new and a rule refuses it. It is asked before the signature is used up, so that a refusal costs
 * two reads: the head that authenticated, and the bundle that is not there. A repeat of a create is never refused.
 */
export async function refuseStorm(
  world: Needs & Pick<World, "stamps">,
  caller: SendingCaller,
  bundleId: BundleId,
  request: BundleRequest,
): Promise<void> {
  const stamp = asStamp(caller.head.state);
  // What is refused whenever it comes is told first, and by the operation itself.
  if (stamp === undefined || !isCreatable(creationQuestion(world, caller, stamp, request))) return;
  const refusal = await stormRefusalOf(world, stamp, request);
  if (refusal === undefined || (await world.stamps.bundle(caller.stampId, bundleId)) !== undefined) return;
  throw tooManyRequests(refusal);
}
