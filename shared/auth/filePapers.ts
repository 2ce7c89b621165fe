import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import * as z from "zod";
import { ConfigurationError } from "../config.ts";
import { type PaperSigner, publishedKey, signPaper } from "./papers.ts";

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be 32 bytes in base64url");

const signingKeyFile = z.object({
  keys: z
    .array(
      z.object({
        kty: z.literal("EC"),
        crv: z.literal("P-256"),
        kid: z.string().min(1),
        x: coordinate,
        y: coordinate,
        d: coordinate,
      }),
    )
    .min(1, "must hold at least one key")
    .refine((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length, "must not repeat a kid"),
});
type SigningKey = z.infer<typeof signingKeyFile>["keys"][number];

/**
 * Signs with the first of the private JWKs in the file `{ "keys": [...] }` and publishes them all. Reads the file at once, so
 * that a missing or bad one stops the start: `ConfigurationError` that names `SIGNING_KEY_FILE`.
 */
export function filePaperSigner(path: string): PaperSigner {
  const keys = readSigningKeys(path).map((jwk) => ({ jwk, key: usableKey(jwk, path) }));
  const [first] = keys;
  if (first === undefined) throw badFile(path, "must hold at least one key");
  const present = { kid: first.jwk.kid, sign: (data: Uint8Array) => es256(data, first.key) };
  const published = keys.map(({ jwk }) => publishedKey(jwk));
  return {
    sign: (typ, claims) => signPaper(present, typ, claims),
    publicKeys: async () => ({ keys: published }),
  };
}

/** What is wrong is said by place only: the text holds private keys. */
function readSigningKeys(path: string): readonly SigningKey[] {
  const parsed = signingKeyFile.safeParse(jsonIn(path));
  if (parsed.success) return parsed.data.keys;
  throw badFile(path, parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; "));
}

function jsonIn(path: string): unknown {
  const text = textOf(path);
  try {
    return JSON.parse(text);
  } catch {
    throw badFile(path, "is not JSON");
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${error.code})` : "";
    throw badFile(path, `cannot be read${code}`);
  }
}

/** Signs once and verifies with the public half: a file whose halves do not belong together must not issue papers. */
function usableKey(jwk: SigningKey, path: string): KeyObject {
  const { d: _private, ...publicHalf } = jwk;
  const probe = Buffer.from("probe");
  try {
    const key = createPrivateKey({ key: jwk, format: "jwk" });
    const publicKey = createPublicKey({ key: publicHalf, format: "jwk" });
    if (verify("sha256", probe, { key: publicKey, dsaEncoding: "ieee-p1363" }, es256(probe, key))) return key;
  } catch {
    // Told below, as for halves that differ.
  }
  throw badFile(path, `holds no valid P-256 key under kid ${jwk.kid}`);
}

const es256 = (data: Uint8Array, key: KeyObject): Uint8Array =>
  sign("sha256", data, { key, dsaEncoding: "ieee-p1363" });

const badFile = (path: string, what: string): ConfigurationError =>
  new ConfigurationError(`SIGNING_KEY_FILE: ${path} ${what}; it must be {"keys": [private EC P-256 JWKs with kid]}`);
