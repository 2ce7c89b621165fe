import { createHash, timingSafeEqual } from "node:crypto";
import { parseDictionary } from "structured-headers";
import { DomainError } from "../errors.ts";

/**
 * Checks `Content-Digest` (RFC 9530) against the body's raw bytes. Others may stand beside it, but `sha-256` decides.
 * Throws `DigestMissing` where there is no readable `sha-256`, and `DigestMismatch` where it is of other bytes.
 */
export function verifyContentDigest(field: string | null, body: Uint8Array): void {
  const claimed = sha256Of(field ?? "");
  if (claimed === undefined) {
    throw new DomainError(
      "DigestMissing",
      "The body has no sha-256 digest. Send Content-Digest: sha-256=:<base64 of the body's SHA-256>: and sign it.",
    );
  }
  const actual = createHash("sha256").update(body).digest();
  if (claimed.byteLength !== actual.byteLength || !timingSafeEqual(claimed, actual)) {
    throw new DomainError(
      "DigestMismatch",
      "Content-Digest is not of the body that arrived. Compute sha-256 over the exact bytes sent, sign and send again.",
    );
  }
}

function sha256Of(field: string): Uint8Array | undefined {
  try {
    const value = parseDictionary(field).get("sha-256")?.[0];
    return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
  } catch {
    return undefined;
  }
}
