import * as z from "zod";
import { DomainError } from "../errors.ts";
import { verifyContentDigest } from "./contentDigest.ts";
import { malformed, type SignatureClaims, verifyHttpSignature } from "./httpSignature.ts";
import { componentsOf, type RequestMessage } from "./requestComponents.ts";
import { requireUsable, type VerifyingKey, verifierOf } from "./stampKey.ts";

/** What is required of a stamp's signature (`API.md`, Signing a request). */

/** Seconds that may lie between `created` and `expires`. */
const longestWindow = 300;
/** Seconds by which a stamp's clock may differ from ours. */
const skew = 60;

export type SignedRequest = RequestMessage & {
  /** The raw bytes; undefined, or none at all, where no body was sent. */
  readonly body: Uint8Array | undefined;
};

export type StampSignature = {
  readonly keyId: string;
  readonly nonce: string;
  readonly created: Date;
  readonly expires: Date;
};

/**
 * Verifies who signed a request, and that it arrived as it was signed. The caller still has to store the nonce, which
 * makes a signature work once. `now` is real time. What `keyOf` throws passes through. Throws, in this order:
 * `SignatureMissing`, `SignatureMalformed`, `KeyUnknown`, `KeyRetired`, `SignatureNotYetValid` or `SignatureExpired`,
 * `SignatureInvalid`, `DigestMissing` or `DigestMismatch`.
 */
export async function verifyStampSignature(
  request: SignedRequest,
  { keyOf, now }: { readonly keyOf: (keyId: string) => Promise<VerifyingKey | undefined>; readonly now: Date },
): Promise<StampSignature> {
  const verified = await verifyHttpSignature(signedMessage(request), async (claims) => {
    requireCoverage(claims, request);
    const parameters = readParameters(claims);
    const key = await knownKey(parameters.keyid, keyOf);
    requireUsable(key, now);
    requireTimely(parameters, now);
    return verifierOf(key.jwk);
  });
  requireDigest(verified, request);
  const { keyid, nonce, created, expires } = readParameters(verified);
  return { keyId: keyid, nonce, created: new Date(created * 1000), expires: new Date(expires * 1000) };
}

function signedMessage(request: SignedRequest) {
  const signatureInput = request.headers.get("signature-input");
  const signature = request.headers.get("signature");
  if (signatureInput === null && signature === null) {
    throw new DomainError(
      "SignatureMissing",
      "The request is not signed. Sign it with a registered key of the stamp (RFC 9421) and send it again.",
    );
  }
  return { signatureInput: signatureInput ?? "", signature: signature ?? "", componentOf: componentsOf(request) };
}

/**
 * A body without `Content-Digest` passes here unless the signature claims to cover that header: it is `DigestMissing`, once
 * the signature has verified, and the stamp learns what is really wrong.
 */
function requireCoverage({ components }: SignatureClaims, { headers, body }: SignedRequest): void {
  const needed = ["@method", "@target-uri"];
  if (hasBytes(body)) needed.push("content-type");
  if (hasBytes(body) && headers.has("content-digest")) needed.push("content-digest");
  for (const condition of ["if-match", "if-none-match"]) if (headers.has(condition)) needed.push(condition);
  const absent = needed.filter((name) => !components.includes(name));
  if (absent.length > 0) throw malformed(`it must also cover ${absent.map((name) => `"${name}"`).join(" ")}`);
}

const seconds = z.int({ error: "must be an integer of Unix seconds" });
const signatureParameters = z
  .object({
    created: seconds,
    expires: seconds,
    nonce: z.string({ error: "is missing" }).regex(/^[A-Za-z0-9_-]{16,64}$/, "must be 16 to 64 base64url characters"),
    keyid: z.string({ error: "is missing" }),
    tag: z.literal("stamp-intake", { error: 'must be "stamp-intake"' }),
  })
  .refine(({ created, expires }) => expires > created, { path: ["expires"], error: "must be later than created" })
  .refine(({ created, expires }) => expires - created <= longestWindow, {
    path: ["expires"],
    error: `must be at most ${longestWindow} seconds after created`,
  });
type SignatureParameters = z.infer<typeof signatureParameters>;

function readParameters({ parameters }: SignatureClaims): SignatureParameters {
  const parsed = signatureParameters.safeParse(parameters);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw malformed(`parameter ${issue?.path.join(".")} ${issue?.message}`);
}

/** A `keyid` that no `keyId` can be is never looked up: storage would refuse the name of such a row. */
async function knownKey(
  keyId: string,
  keyOf: (keyId: string) => Promise<VerifyingKey | undefined>,
): Promise<VerifyingKey> {
  const key = /^[A-Za-z0-9._-]{1,64}$/.test(keyId) ? await keyOf(keyId) : undefined;
  if (key !== undefined) return key;
  throw new DomainError(
    "KeyUnknown",
    "The key that keyid names is not registered for the stamp in the path. Check both, or have the stamp registered.",
  );
}

function requireTimely({ created, expires }: SignatureParameters, now: Date): void {
  const present = now.getTime() / 1000;
  if (created > present + skew) {
    throw new DomainError(
      "SignatureNotYetValid",
      "The signature was created in the future. Set the stamp's clock by this answer's Date header and sign again.",
    );
  }
  if (expires < present - skew) {
    throw new DomainError(
      "SignatureExpired",
      "The signature has expired. Sign again with a new nonce; if it persists, set the clock by this answer's Date header.",
    );
  }
}

/** Without a body `Content-Digest` counts only where it is covered, and must then be that of no bytes. */
function requireDigest({ components }: SignatureClaims, { headers, body }: SignedRequest): void {
  if (!hasBytes(body) && !components.includes("content-digest")) return;
  verifyContentDigest(headers.get("content-digest"), body ?? new Uint8Array());
}

const hasBytes = (body: Uint8Array | undefined): boolean => body !== undefined && body.byteLength > 0;
