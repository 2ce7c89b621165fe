import { randomUUID } from "node:crypto";
import type { BundleId, StampId } from "../../api/primitives.ts";
import { purgeReason } from "../../domain/purge.ts";
import { DomainError } from "../../errors.ts";
import { newestAnchor } from "../compliance/checkpoints.ts";
import type { World } from "../needs.ts";
import { noSuchBundle } from "../refusals.ts";

/**
 * A signed statement that a bundle's bytes are gone. It is given only once both its containers were verified gone: its landing
 * container's name is never used again, and a read URL names a blob that is no more, so no URL that was issued can bring a byte back.
 */
export async function certifyDeletion(
  world: Pick<World, "checkpoints" | "clock" | "rules" | "stamps" | "papers">,
  stampId: StampId,
  bundleId: BundleId,
): Promise<{ certificate: string }> {
  const bundle = await world.stamps.bundle(stampId, bundleId);
  if (bundle === undefined) throw noSuchBundle();
  const { purge } = bundle;
  if (purge?.deletedOn === undefined) {
    throw new DomainError(
      "NotYetDeleted",
      `The bundle's bytes are not deleted yet. They are due on ${purgeReason(bundle).on}: ask again after that.`,
    );
  }
  const certificate = await world.papers.sign("deletion-certificate+jwt", {
    iss: world.rules.publicOrigin,
    iat: Math.floor(world.clock.real().getTime() / 1000),
    jti: randomUUID(),
    sub: stampId,
    bundleId,
    ...(bundle.sha256 === undefined ? {} : { sha256: bundle.sha256 }),
    sizeBytes: bundle.sizeBytes,
    createdOn: bundle.createdOn,
    basis: purge.basis,
    deletedOn: purge.deletedOn,
    ledger: purge.ledger,
    ...(await newestAnchor(world)),
  });
  return { certificate };
}
