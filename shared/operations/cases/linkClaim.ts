import type { CaseNumber, StampId } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import type { Actor } from "../../domain/event.ts";
import type { World } from "../needs.ts";
import { linkBundle } from "./links.ts";

/**
 * Links a bundle to the case that its stamp claims it for, where that case lists the stamp and is open. Whether it did is never told to the
 * stamp, and a failure is no failure of what came before it: it is tried at creation and again at acceptance.
 */
export async function linkClaim(world: World, actor: Actor, bundle: BundleRecord): Promise<void> {
  const { caseNumber, stampId, bundleId } = bundle;
  if (caseNumber === undefined || bundle.links.some((link) => link.caseNumber === caseNumber)) return;
  try {
    if (!(await claimHolds(world, stampId, caseNumber))) return;
    await linkBundle(world, actor, { caseNumber, stampId, bundleId }, { ifMatch: undefined });
  } catch (error) {
    world.log.error("bundle.claimNotLinked", error, { stampId, bundleId, caseNumber });
  }
}

/** Whether the case that a stamp claims is open and lists the stamp. */
export async function claimHolds(
  world: Pick<World, "cases">,
  stampId: StampId,
  caseNumber: CaseNumber,
): Promise<boolean> {
  const record = (await world.cases.head(caseNumber)).state;
  return record?.state === "open" && record.stampIds.includes(stampId);
}
