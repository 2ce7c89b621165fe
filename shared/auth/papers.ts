import type { JWK } from "jose";

/**
 * Signed papers: receipts, deletion certificates and checkpoints as compact JWS, ES256 (`API.md`, Shapes). Where the key
 * lives is for `filePapers.ts` and `keyVaultPapers.ts`.
 */

export type PaperType = "consent-receipt+jwt" | "deletion-certificate+jwt" | "checkpoint+jwt";

export type PaperSigner = {
  /** A compact JWS over `claims`, which bring their own `iss`, `iat`, `jti` and `sub`. */
  readonly sign: (typ: PaperType, claims: Readonly<Record<string, unknown>>) => Promise<string>;
  /** The JWK set to publish: the present key and those that signed before it. */
  readonly publicKeys: () => Promise<{ keys: JWK[] }>;
};

/** What signs: `sign` takes the bytes and gives r‖s, 64 bytes (RFC 7518 section 3.4). */
export type PaperKey = { readonly kid: string; readonly sign: (data: Uint8Array) => Promise<Uint8Array> | Uint8Array };

/** Writes a compact JWS (RFC 7515 section 7.1) by a key that may not be ours to hold. */
export async function signPaper(
  { kid, sign }: PaperKey,
  typ: PaperType,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const content = `${encoded({ alg: "ES256", kid, typ })}.${encoded(claims)}`;
  return `${content}.${Buffer.from(await sign(Buffer.from(content))).toString("base64url")}`;
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The entry of one key in the JWK set; anything private stays out, because only these members are named. */
export const publishedKey = ({ kid, x, y }: { readonly kid: string; readonly x: string; readonly y: string }): JWK => ({
  kty: "EC",
  crv: "P-256",
  x,
  y,
  kid,
  use: "sig",
  alg: "ES256",
});
