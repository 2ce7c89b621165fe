import {
  isSignatureError,
  type MessageDescriptor,
  SignatureErrorCode,
  type UntrustedSignatureCandidate,
  type VerifiedSignature,
  type Verifier,
  verifySignature,
} from "http-message-sig";
import { DomainError } from "../errors.ts";

/**
 * HTTP Message Signatures (RFC 9421) by `http-message-sig`, and the only place that knows this library: it parses the two
 * fields, builds the signature base and asks our verifier. What is required of a signature is `stampSignature.ts`.
 */

export type HttpMessage = MessageDescriptor;
export type HttpVerifier = Verifier;
/** What the message says of its signature; nothing of it is verified yet. */
export type SignatureClaims = Pick<UntrustedSignatureCandidate, "components" | "parameters">;
/** The same once verified. */
type HttpSignature = Pick<VerifiedSignature, "label" | "components" | "parameters">;

/** The library insists on a policy of its own. Ours is elsewhere, so this one lets any coverage and any time pass. */
const policy = {
  algorithms: ["ecdsa-p256-sha256", "ed25519"],
  requiredComponents: [],
  requiredParameters: [],
  now: 0,
  clockSkew: Number.MAX_SAFE_INTEGER,
};

/**
 * Verifies the message's one signature by the verifier that `verifierFor` chooses from the claims, whose errors pass
 * through. Throws `SignatureMalformed` for what cannot be read, before the verifier is chosen, and `SignatureInvalid`.
 */
export async function verifyHttpSignature(
  message: HttpMessage,
  verifierFor: (claims: SignatureClaims) => Promise<HttpVerifier>,
): Promise<HttpSignature> {
  const readable = { ...message, fields: message.fields.filter(({ value }) => isFieldText(value)) };
  refuseDecimalTimes(readable);
  try {
    return await verifySignature(readable, {
      policy,
      resolveVerifier: verifierFor,
    });
  } catch (error) {
    throw refusalOf(error);
  }
}

/** The library refuses a whole message for one stray byte in any field, covered or not; so such a field is left out. */
const isFieldText = (value: string): boolean => /^[\t\x20-\x7e]*$/.test(value);

/** The library reads `created=5.0` as the integer 5, where RFC 9421 section 2.3 has integers only. */
function refuseDecimalTimes({ fields }: HttpMessage): void {
  const input = fields.find(({ name }) => name.toLowerCase() === "signature-input")?.value ?? "";
  const withoutStrings = input.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  if (/; *(?:created|expires)=-?\d+\./.test(withoutStrings)) throw malformed("created and expires must be integers");
}

function refusalOf(error: unknown): unknown {
  if (!isSignatureError(error)) return malformed("its fields are no structured fields", error);
  switch (error.code) {
    case SignatureErrorCode.ResolverFailed:
      return error.cause;
    case SignatureErrorCode.VerificationFailed:
      return new DomainError(
        "SignatureInvalid",
        "The signature does not verify with the registered key. Sign method, public URL and headers exactly as sent.",
      );
    case SignatureErrorCode.PolicyViolation:
    case SignatureErrorCode.AlgorithmMismatch:
      return new DomainError(
        "SignatureInvalid",
        "The signature's alg is not the registered key's own. Leave alg out, or name the key's algorithm, and sign again.",
      );
    default:
      return malformed(error.message.slice(0, 200), error);
  }
}

/** `SignatureMalformed` that says what is wrong with the two fields. */
export const malformed = (what: string, cause?: unknown): DomainError =>
  new DomainError(
    "SignatureMalformed",
    `The signature cannot be used: ${what}. Send one Signature-Input and Signature as RFC 9421 has it, and sign again.`,
    { cause },
  );
