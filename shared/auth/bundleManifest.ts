import { compactVerify, decodeProtectedHeader, errors } from "jose";
import * as z from "zod";
import { type BundleManifest, bundleManifest, longestManifest, manifestType } from "../api/manifest.ts";
import { keyId as keyIdSchema } from "../api/primitives.ts";
import { type PublicJwk, publicKeyOf } from "../api/publicJwk.ts";
import { DomainError } from "../errors.ts";
import { algorithms } from "./keyProof.ts";

/** Verifies the manifest of a bundle that was saved locally (`shared/api/manifest.ts`). */

const scheme = /^Manifest(?: +|$)/i;

/** Whether the `Authorization` header carries a manifest. */
export const isManifest = (authorization: string): boolean => scheme.test(authorization);

export type VerifiedManifest = { readonly keyId: string; readonly manifest: BundleManifest };

/**
 * The claims that a key of the stamp signed. Whether that key was good when it signed, and whether they are of the bundle in the path, is for
 * the caller to ask. Throws `SignatureMalformed`, `KeyUnknown`, `SignatureInvalid`; what `keyOf` throws passes through.
 */
export async function verifyManifest(
  authorization: string,
  keyOf: (keyId: string) => Promise<PublicJwk | undefined>,
): Promise<VerifiedManifest> {
  const jws = authorization.replace(scheme, "").trim();
  if (jws.length > longestManifest) throw malformed(`it has more than ${longestManifest} characters`);
  const keyId = signerOf(jws);
  const jwk = await keyOf(keyId);
  if (jwk === undefined) {
    throw new DomainError(
      "KeyUnknown",
      "The key that signed the manifest is not one of the stamp in the path. Check the path, or have the key registered.",
    );
  }
  return { keyId, manifest: claimsOf(await payloadOf(jws, jwk)) };
}

const protectedHeader = z.object({
  typ: z.literal(manifestType, { error: `its typ must be ${manifestType}` }),
  kid: keyIdSchema,
});

function signerOf(jws: string): string {
  const header = protectedHeader.safeParse(headerOf(jws));
  if (header.success) return header.data.kid;
  throw malformed(
    header.error.issues[0]?.path[0] === "typ" ? `its typ must be ${manifestType}` : "its kid must be a keyId",
  );
}

function headerOf(jws: string): unknown {
  try {
    return decodeProtectedHeader(jws);
  } catch (cause) {
    throw malformed("it is no compact JWS", cause);
  }
}

async function payloadOf(jws: string, jwk: PublicJwk): Promise<Uint8Array> {
  try {
    return (await compactVerify(jws, publicKeyOf(jwk), { algorithms: algorithms[jwk.kty] })).payload;
  } catch (cause) {
    if (cause instanceof errors.JWSInvalid) throw malformed("it is no compact JWS", cause);
    throw new DomainError(
      "SignatureInvalid",
      "The manifest is not as the stamp signed it. Take it anew from where the bundle was saved, or save the bundle again.",
      { cause },
    );
  }
}

function claimsOf(payload: Uint8Array): BundleManifest {
  const parsed = bundleManifest.safeParse(jsonOf(payload));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw malformed(`${issue?.path.join("/") || "its payload"} ${issue?.message}`);
}

function jsonOf(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (cause) {
    throw malformed("its payload is not JSON", cause);
  }
}

const malformed = (what: string, cause?: unknown): DomainError =>
  new DomainError(
    "SignatureMalformed",
    `The manifest cannot be used: ${what}. Take it anew from where the bundle was saved, or save the bundle again.`,
    { cause },
  );
