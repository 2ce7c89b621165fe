import { verify } from "node:crypto";
import { type PublicJwk, publicKeyOf } from "../api/publicJwk.ts";
import { DomainError } from "../errors.ts";
import type { HttpVerifier } from "./httpSignature.ts";

/** A key of a stamp, as registration or rotation left it. */
export type VerifyingKey = {
  readonly keyId: string;
  readonly jwk: PublicJwk;
  readonly state: "active" | "retired";
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
};

/** Throws `KeyRetired` for a key that may not sign at `now` (real time): retired, too early or too late. */
export function requireUsable({ keyId, state, notBefore, notAfter }: VerifyingKey, now: Date): void {
  const refuse = (why: string) => new DomainError("KeyRetired", `Key ${keyId} ${why}.`);
  if (state === "retired") throw refuse("is retired: sign with another key of this stamp, or have one registered");
  if (notBefore !== undefined && now < notBefore) {
    throw refuse(`may not sign before ${notBefore.toISOString()}: sign with the stamp's present key until then`);
  }
  if (notAfter !== undefined && now > notAfter) {
    throw refuse(`may not sign after ${notAfter.toISOString()}: sign with a newer key, or have one registered`);
  }
}

/** Verifies by the registered key's own algorithm, never by one that the message names (RFC 9421 section 3.3). */
export function verifierOf(jwk: PublicJwk): HttpVerifier {
  const key = publicKeyOf(jwk);
  if (jwk.kty === "OKP") {
    return { algorithm: "ed25519", verify: (data, signature) => verify(null, data, key, signature) };
  }
  return {
    algorithm: "ecdsa-p256-sha256",
    verify: (data, signature) => verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, signature),
  };
}
