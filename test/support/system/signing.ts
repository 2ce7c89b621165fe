import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { httpbis } from "http-message-signatures";
import type { RawRequest } from "./http.ts";

/** Signed requests (`API.md`, Signing a request), made by another RFC 9421 library than the service's. */

export type KeyKind = "EC" | "OKP";
export type PublicJwk = Readonly<Record<string, string>>;
export type StampKey = {
  readonly keyId: string;
  readonly kind: KeyKind;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: PublicJwk;
};

/** A new P-256 or Ed25519 key. */
export function makeKey(kind: KeyKind = "EC", keyId = `k-${randomBytes(4).toString("hex")}`): StampKey {
  const { privateKey, publicKey } =
    kind === "EC" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
  const { kty, crv, x, y } = publicKey.export({ format: "jwk" });
  const members = { kty, crv, x, y };
  const jwk = Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return { keyId, kind, privateKey, publicKey, jwk };
}

/** The raw signature of `key` over `data`: r‖s, or Ed25519's. */
export const rawSignature = ({ kind, privateKey }: StampKey, data: Uint8Array): Buffer =>
  kind === "EC" ? sign("sha256", data, { key: privateKey, dsaEncoding: "ieee-p1363" }) : sign(null, data, privateKey);

/** A fresh nonce of 22 base64url characters. */
export const freshNonce = (): string => randomBytes(16).toString("base64url");

/** The `Content-Digest` of RFC 9530. */
export const contentDigest = (body: Uint8Array | string, algorithm: "sha256" | "sha512" = "sha256"): string =>
  `sha-${algorithm.slice(3)}=:${createHash(algorithm).update(body).digest("base64")}:`;

/** What a signature says; each may be bent by a test. */
export type SignatureOptions = {
  readonly created?: Date;
  readonly expires?: Date;
  readonly nonce?: string;
  readonly keyid?: string;
  readonly tag?: string;
  readonly alg?: string;
  readonly label?: string;
  /** Covered components in place of the usual ones. */
  readonly fields?: readonly string[];
  /** Parameters in place of all five. */
  readonly params?: readonly string[];
  /** The origin of `@target-uri` in place of the service's. */
  readonly origin?: string;
  /** Path and query of `@target-uri` in place of those sent. */
  readonly path?: string;
  /** The `@method` in place of the one sent. */
  readonly method?: string;
};

const seconds = (date: Date): Date => new Date(Math.floor(date.getTime() / 1000) * 1000);

/** The request with `Content-Digest`, where it has a body and none yet, `Signature-Input` and `Signature`. */
export async function signed(
  origin: string,
  key: StampKey,
  raw: RawRequest,
  options: SignatureOptions = {},
): Promise<RawRequest> {
  const digest =
    raw.body === undefined || raw.headers?.["content-digest"] !== undefined
      ? {}
      : { "content-digest": contentDigest(raw.body) };
  const headers = { ...flat(raw.headers), ...digest };
  const created = options.created ?? seconds(new Date());
  const message = await httpbis.signMessage(
    {
      key: { id: options.keyid ?? key.keyId, sign: async (data) => rawSignature(key, data) },
      name: options.label ?? "sig",
      fields: [...(options.fields ?? usualFields(headers))],
      params: [...(options.params ?? ["created", "expires", "nonce", "keyid", "tag"])],
      paramValues: {
        created,
        expires: options.expires ?? new Date(created.getTime() + 300_000),
        nonce: options.nonce ?? freshNonce(),
        keyid: options.keyid ?? key.keyId,
        tag: options.tag ?? "stamp-intake",
        ...(options.alg === undefined ? {} : { alg: options.alg }),
      },
    },
    {
      method: options.method ?? raw.method,
      url: `${options.origin ?? origin}${options.path ?? raw.path}`,
      headers,
    },
  );
  return { ...raw, headers: { ...raw.headers, ...digest, ...signatureOf(message.headers) } };
}

function usualFields(headers: Readonly<Record<string, string>>): string[] {
  const coverable = ["content-digest", "content-type", "if-match", "if-none-match"];
  const covered = coverable.filter((name) => headers[name] !== undefined);
  return ["@method", "@target-uri", ...covered];
}

function flat(headers: RawRequest["headers"] = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === "string" ? value : value.join(", "),
    ]),
  );
}

function signatureOf(headers: Readonly<Record<string, string | string[]>>): Record<string, string> {
  const found = Object.entries(headers).filter(([name]) => /^signature(-input)?$/i.test(name));
  return Object.fromEntries(found.map(([name, value]) => [name.toLowerCase(), `${value}`]));
}
