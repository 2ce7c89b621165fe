import { compactVerify } from "jose";
import * as z from "zod";
import { type PublicJwk, publicKeyOf } from "../api/publicJwk.ts";
import { DomainError } from "../errors.ts";

const claims = z.strictObject({ stampId: z.string().toLowerCase(), keyId: z.string() });

/** What JWS calls each key's own algorithm (RFC 7518, RFC 8037, RFC 9864). */
export const algorithms = { EC: ["ES256"], OKP: ["EdDSA", "Ed25519"] };

/**
 * Checks that whoever asks for a new key holds its private half: `proof` is a compact JWS by that key with the payload
 * `{stampId, keyId}` (`API.md`, `:rotateKey`). Throws `InvalidBody` at `/proof`.
 */
export async function verifyKeyProof(
  proof: string,
  { jwk, stampId, keyId }: { readonly jwk: PublicJwk; readonly stampId: string; readonly keyId: string },
): Promise<void> {
  const claimed = claims.safeParse(await signedPayload(proof, jwk));
  if (!claimed.success) throw refused("its payload must be the JSON object {stampId, keyId}");
  if (claimed.data.stampId !== stampId.toLowerCase()) throw refused("its stampId must be the stamp's own");
  if (claimed.data.keyId !== keyId) throw refused("its keyId must be the keyId of this request");
}

async function signedPayload(proof: string, jwk: PublicJwk): Promise<unknown> {
  try {
    const { payload } = await compactVerify(proof, publicKeyOf(jwk), { algorithms: algorithms[jwk.kty] });
    return JSON.parse(new TextDecoder().decode(payload));
  } catch (cause) {
    const allowed = algorithms[jwk.kty].join(" or ");
    throw refused(`it must be a compact JWS with alg ${allowed}, signed by the private half of jwk`, cause);
  }
}

const refused = (what: string, cause?: unknown): DomainError =>
  new DomainError("InvalidBody", `The proof of the new key was refused: ${what}. Sign it again and resend.`, {
    target: "/proof",
    cause,
  });
