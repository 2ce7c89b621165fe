import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { expect } from "vitest";
import { type PublicJwk, publicJwk } from "../../../shared/api/publicJwk.ts";
import type { VerifyingKey } from "../../../shared/auth/stampKey.ts";
import { type SignedRequest, verifyStampSignature } from "../../../shared/auth/stampSignature.ts";
import { DomainError, type ErrorCode } from "../../../shared/errors.ts";

/** A signer written from RFC 9421 alone, so that the tests do not lean on the library that they test. */

export const now = new Date("2026-11-22T12:00:00Z");
export const nowSeconds = now.getTime() / 1000;

export type TestKey = { readonly keyId: string; readonly jwk: PublicJwk; readonly privateKey: KeyObject };

export function makeKey(kty: "EC" | "OKP" = "EC", keyId = "k1"): TestKey {
  const { publicKey, privateKey } =
    kty === "EC" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
  return { keyId, jwk: publicJwk.parse(publicKey.export({ format: "jwk" })), privateKey };
}

export const rawSignature = (base: Uint8Array, { jwk, privateKey }: TestKey): Buffer =>
  jwk.kty === "EC"
    ? sign("sha256", base, { key: privateKey, dsaEncoding: "ieee-p1363" })
    : sign(null, base, privateKey);

export const sha256Field = (body: Uint8Array): string =>
  `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;

/** A request before it is signed. */
export type Draft = {
  readonly method: string;
  readonly targetUri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
};

const origin = "https://intake.example.com";
export const submitUri = `${origin}/stamps/7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10/bundles/b:submit?api-version=2026-11-01`;
export const submitBody = Buffer.from('{"sizeBytes":1}');

/** A signed request with a body, as `API.md` shows one. */
export const submitDraft: Draft = {
  method: "POST",
  targetUri: submitUri,
  headers: { "content-type": "application/json", "content-digest": sha256Field(submitBody) },
  body: submitBody,
};

export const readDraft: Draft = { method: "GET", targetUri: submitUri, headers: {} };

export const goodParameters = {
  created: nowSeconds,
  expires: nowSeconds + 300,
  nonce: "n0nce-n0nce-n0nce",
  keyid: "k1",
  tag: "stamp-intake",
};

export type SignOptions = {
  readonly label?: string;
  /** Names, or identifiers with parameters as they stand in the field. */
  readonly components?: readonly string[];
  /** Numbers stand bare and texts quoted; `undefined` leaves one out. */
  readonly parameters?: Readonly<Record<string, number | string | undefined>>;
  /** Instead of the parameters: what follows the inner list, as it stands in the field. */
  readonly rawParameters?: string;
};

/** Signs by RFC 9421 section 3.1; a component that the request lacks has the empty value. */
export function signed(draft: Draft, key: TestKey, options: SignOptions = {}): SignedRequest {
  const components = options.components ?? usualComponents(draft);
  const identifiers = components.map((name) => (name.startsWith('"') ? name : `"${name}"`));
  const parameters =
    options.rawParameters ?? serialized({ ...goodParameters, keyid: key.keyId, ...options.parameters });
  const input = `(${identifiers.join(" ")})${parameters}`;
  const base = [
    ...identifiers.map((identifier) => `${identifier}: ${componentValue(identifier.split('"')[1] ?? "", draft)}`),
    `"@signature-params": ${input}`,
  ].join("\n");
  const label = options.label ?? "sig";
  const headers = new Headers(draft.headers);
  headers.set("signature-input", `${label}=${input}`);
  headers.set("signature", `${label}=:${rawSignature(Buffer.from(base), key).toString("base64")}:`);
  return { method: draft.method, targetUri: draft.targetUri, headers, body: draft.body };
}

const usualComponents = ({ headers }: Draft): readonly string[] => ["@method", "@target-uri", ...Object.keys(headers)];

const serialized = (parameters: Readonly<Record<string, number | string | undefined>>): string =>
  Object.entries(parameters)
    .flatMap(([name, value]) => {
      if (value === undefined) return [];
      return [typeof value === "number" ? `;${name}=${value}` : `;${name}="${value}"`];
    })
    .join("");

function componentValue(name: string, { method, targetUri, headers }: Draft): string {
  const url = new URL(targetUri);
  const derived: Readonly<Record<string, string>> = {
    "@method": method,
    "@target-uri": targetUri,
    "@authority": url.host,
    "@scheme": url.protocol.slice(0, -1),
    "@path": url.pathname,
    "@query": url.search === "" ? "?" : url.search,
    "@request-target": `${url.pathname}${url.search}`,
  };
  return derived[name] ?? headers[name] ?? "";
}

/** The request with one header replaced, or taken away. */
export function withHeader(request: SignedRequest, name: string, value: string | undefined): SignedRequest {
  const headers = new Headers(request.headers);
  if (value === undefined) headers.delete(name);
  else headers.set(name, value);
  return { ...request, headers };
}

export const registered = (key: TestKey, change: Partial<VerifyingKey> = {}): VerifyingKey => ({
  keyId: key.keyId,
  jwk: key.jwk,
  state: "active",
  ...change,
});

/** Verifies at `now`, with exactly these keys registered. */
export const verifyWith = (request: SignedRequest, keys: readonly VerifyingKey[], at: Date = now) =>
  verifyStampSignature(request, { keyOf: async (keyId) => keys.find((key) => key.keyId === keyId), now: at });

/** The codes that a bad signature can have. */
export const signatureCodes: readonly ErrorCode[] = [
  "SignatureMissing",
  "SignatureMalformed",
  "KeyUnknown",
  "KeyRetired",
  "SignatureExpired",
  "SignatureNotYetValid",
  "SignatureInvalid",
  "DigestMissing",
  "DigestMismatch",
];

/** The refusal that `work` ends in; anything else that it throws fails the test, and so does success. */
export async function refusal(work: Promise<unknown>): Promise<DomainError> {
  const outcome = await work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!("error" in outcome)) expect.fail(`was accepted: ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof DomainError)) throw outcome.error;
  return outcome.error;
}

export const codeOf = async (work: Promise<unknown>): Promise<ErrorCode> => (await refusal(work)).code;
