import { createHash, type KeyObject, randomBytes, sign } from "node:crypto";
import { createSignature } from "http-message-sig";

/** Signs a stamp's requests as `API.md`, "Signing a request", asks: RFC 9421 with a Content-Digest of RFC 9530. */

/** The key that a stamp signs with: EC P-256, its public half registered under `keyId`. */
export type SigningKey = { readonly keyId: string; readonly privateKey: KeyObject };

export type UnsignedRequest = {
  readonly method: string;
  /** The absolute URL as it is sent: what `@target-uri` covers. */
  readonly url: string;
  readonly body?: Uint8Array | undefined;
  /** Conditions on the version that stands (RFC 9110, 13.1): the service asks that they be signed. */
  readonly conditions?: Readonly<Partial<Record<"if-match" | "if-none-match", string>>>;
};

/** Seconds for which a signature is good: the most that the service allows. */
const windowSeconds = 300;

/** The headers that make the request a signed one, with a new nonce each time it is called. */
export async function signedHeaders(
  request: UnsignedRequest,
  key: SigningKey,
  now: Date,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {
    ...(request.body === undefined ? {} : bodyHeaders(request.body)),
    ...request.conditions,
  };
  const created = Math.floor(now.getTime() / 1000);
  const fields = await createSignature(
    {
      kind: "request",
      method: request.method,
      targetUri: request.url,
      fields: Object.entries(headers).map(([name, value]) => ({ name, value })),
    },
    {
      label: "sig",
      components: ["@method", "@target-uri", ...Object.keys(headers)],
      parameters: {
        created,
        expires: created + windowSeconds,
        nonce: randomBytes(16).toString("base64url"),
        keyid: key.keyId,
        tag: "stamp-intake",
      },
      signer: {
        algorithm: "ecdsa-p256-sha256",
        // RFC 9421, 3.3.4: the signature is r‖s, not DER.
        sign: (data) => sign("sha256", data, { key: key.privateKey, dsaEncoding: "ieee-p1363" }),
      },
    },
  );
  return { ...headers, "signature-input": fields.signatureInput, signature: fields.signature };
}

function bodyHeaders(body: Uint8Array): Record<string, string> {
  const digest = createHash("sha256").update(body).digest("base64");
  return { "content-digest": `sha-256=:${digest}:`, "content-type": "application/json" };
}
