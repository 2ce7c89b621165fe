import type { Bundle, Verification } from "../../api/bundles.ts";
import { type Importing, requestOf } from "../../api/manifest.ts";
import type { Condition } from "../../domain/etag.ts";
import { DomainError } from "../../errors.ts";
import type { ManifestCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { noSuchBundle } from "../refusals.ts";
import { requestDigest } from "../requestDigest.ts";
import { refuseStorm } from "./admission.ts";
import { createBundle } from "./createBundle.ts";
import { readBundle, readVerification } from "./readBundles.ts";
import { submitBundle } from "./submitBundle.ts";

/**
 * A bundle that was saved locally, brought by its manifest: the same creation and submit as any other bundle's, with what the stamp signed as
 * the request. A manifest is of one bundle, so bringing it twice has one effect.
 */

/** Throws `TooManyRequests` where the bundle is new and a rule refuses it for now, before anything is written for it. */
export const refuseImportStorm = (world: World, caller: ManifestCaller): Promise<void> =>
  refuseStorm(world, caller, caller.manifest.bundleId, requestOf(caller.manifest));

/** Creates the bundle of the manifest; while it is `created`, again with a fresh upload URL. */
export async function importBundle(
  world: World,
  caller: ManifestCaller,
  { carriedBy }: Importing,
  condition: Condition,
): Promise<{ bundle: Bundle; created: boolean }> {
  const { keyId, manifest, stampId } = caller;
  const carrier = await world.people.subjectOf({ scope: `carrier:${stampId}`, identity: carriedBy });
  const creation = {
    request: requestOf(manifest),
    said: manifest,
    custody: { signedOn: manifest.savedOn, keyId, carriedBy: carrier },
  };
  return await createBundle(world, caller, manifest.bundleId, creation, condition);
}

/** Hands it over with the size and digest that the stamp signed. */
export async function submitImport(world: World, caller: ManifestCaller): Promise<Bundle> {
  const { bundleId, sizeBytes, sha256 } = caller.manifest;
  await requireItsOwn(world, caller);
  return await submitBundle(world, caller, bundleId, { sizeBytes, sha256 });
}

export async function readImport(world: World, caller: ManifestCaller): Promise<Bundle> {
  await requireItsOwn(world, caller);
  return await readBundle(world, caller, caller.stampId, caller.manifest.bundleId);
}

export async function readImportVerification(world: World, caller: ManifestCaller): Promise<Verification> {
  await requireItsOwn(world, caller);
  return await readVerification(world, caller, caller.stampId, caller.manifest.bundleId);
}

/** A bundle id names one bundle for ever, so what is so once stays so: the bundle was created by this manifest and no other request. */
async function requireItsOwn(
  world: Pick<World, "people" | "stamps">,
  { stampId, manifest }: ManifestCaller,
): Promise<void> {
  const bundle = await world.stamps.bundle(stampId, manifest.bundleId);
  if (bundle === undefined) throw noSuchBundle();
  if (bundle.requestDigest === (await requestDigest(world, stampId, manifest))) return;
  throw new DomainError(
    "BundleConflict",
    "The bundle of this id was not made by this manifest. Save the bundle again: it gets an id of its own.",
  );
}
