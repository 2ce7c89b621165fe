import { CompactSign, decodeProtectedHeader } from "jose";
import { type BundleManifest, bundleManifest, longestManifest, manifestType } from "../shared/api/manifest.ts";
import { UsageError } from "./failure.ts";
import type { SigningKey } from "./signing.ts";

/** The manifest of a bundle that is saved locally: signed here by the stamp, read wherever it is carried. */

/** Signs what is said of a bundle: a compact JWS. Throws `UsageError` for what the service would refuse once the way back is long. */
export async function signManifest(claims: unknown, { keyId, privateKey }: SigningKey): Promise<string> {
  const valid = bundleManifest.safeParse(claims);
  if (!valid.success) {
    throw new UsageError(valid.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; "));
  }
  const alg = privateKey.asymmetricKeyType === "ed25519" ? "EdDSA" : "ES256";
  const jws = await new CompactSign(Buffer.from(JSON.stringify(valid.data)))
    .setProtectedHeader({ alg, typ: manifestType, kid: keyId })
    .sign(privateKey);
  if (jws.length <= longestManifest) return jws;
  throw new UsageError("The manifest would be too long to be carried: name fewer roles (--roles).");
}

/** What a manifest says; `undefined` where it is none. Whether its signature is good, only the service can tell: it knows the stamp's keys. */
export function readManifest(jws: string): BundleManifest | undefined {
  try {
    if (decodeProtectedHeader(jws).typ !== manifestType) return undefined;
    return bundleManifest.safeParse(JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString("utf8")))
      .data;
  } catch {
    return undefined;
  }
}
