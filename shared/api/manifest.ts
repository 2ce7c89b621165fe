import * as z from "zod";
import { type BundleRequest, bundleRequest, operatorConsent } from "./bundles.ts";
import { bundleId, sha256Hex, stampId, text, utcTime } from "./primitives.ts";

/**
 * The manifest of a bundle that was saved locally: a compact JWS by a key of its stamp, made where there is no line and carried with the
 * file. It is the request to create the bundle, and the credential of whoever brings both.
 */

/** The `typ` of its protected header; `kid` is the `keyId`. */
export const manifestType = "bundle-manifest+jwt";

/** Characters that a manifest may have: it travels in a header, and hosts refuse long ones. */
export const longestManifest = 8_192;

const { mode: _mode, trigger: _trigger, consent: _consent, ...described } = bundleRequest.shape;

const claims = z.strictObject({
  stampId,
  bundleId,
  sha256: sha256Hex,
  ...described,
  consent: operatorConsent,
  /** When the stamp signed, by its own clock. */
  savedOn: utcTime,
});

/** The payload of a manifest: all that creating and submitting the bundle takes. */
export const bundleManifest = claims
  .superRefine((manifest, context) => {
    const { error } = bundleRequest.safeParse(requestOf(manifest));
    for (const { path, message } of error?.issues ?? []) context.addIssue({ code: "custom", path, message });
  })
  .meta({ id: "BundleManifest", description: "Payload of a manifest (compact JWS, typ bundle-manifest+jwt)." });
export type BundleManifest = z.infer<typeof claims>;

/** The bundle that the manifest asks for. */
export function requestOf(manifest: BundleManifest): BundleRequest {
  const { stampId: _stampId, bundleId: _bundleId, sha256: _sha256, savedOn: _savedOn, ...request } = manifest;
  return { mode: "savedLocally", ...request };
}

export const importing = z
  .strictObject({ carriedBy: text.describe("Who brings the bundle from the stamp.") })
  .meta({ id: "Importing" });
export type Importing = z.infer<typeof importing>;
