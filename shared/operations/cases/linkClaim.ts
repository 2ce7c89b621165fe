import type { CaseNumber, StampId } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import { listsSender } from "../../domain/case.ts";
import type { Actor } from "../../domain/event.ts";
import { isOutage } from "../../errors.ts";
import type { World } from "../needs.ts";
import { linkBundle } from "./links.ts";

/**
 * Links a bundle to the case that its sender names, where that case lists the sender and is open. Whether it did is never told to a stamp. Throws
 * `ServiceUnavailable` only: what the rules refuse is no failure of what came before it.
 */
export async function linkClaim(world: World, actor: Actor, bundle: BundleRecord): Promise<void> {
  const { caseNumber, stampId, bundleId } = bundle;
  if (caseNumber === undefined || bundle.links.some((link) => link.caseNumber === caseNumber)) return;
  try {
    const alsoClosed = bundle.mode === "dropBox";
    if (!(await claimHolds(world, stampId, caseNumber, alsoClosed))) return;
    await linkBundle(world, actor, { caseNumber, stampId, bundleId }, {}, alsoClosed);
  } catch (error) {
    world.log.error("bundle.claimNotLinked", error, { stampId, bundleId, caseNumber });
    if (isOutage(error)) throw error;
  }
}

/** The same for a bundle that is just created: it will be tried again before it is accepted. */
export async function tryLinkClaim(world: World, actor: Actor, bundle: BundleRecord): Promise<void> {
  await linkClaim(world, actor, bundle).catch(() => {});
}

/** Whether the case that a sender claims lists the sender and is open; a drop box was opened for its case, whose closing closes it. */
export async function claimHolds(
  world: Pick<World, "cases">,
  stampId: StampId,
  caseNumber: CaseNumber,
  alsoClosed = false,
): Promise<boolean> {
  const record = (await world.cases.head(caseNumber)).state;
  return record !== undefined && (alsoClosed || record.state === "open") && listsSender(record, stampId);
}
