import { createPublicKey, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint } from "jose";
import * as z from "zod";

/** The public keys that stamps sign with, as JWKs: EC P-256 or OKP Ed25519 (`API.md`, Signing a request). */

/** 32 bytes in the one spelling that base64url has for them, so that equal keys are equal texts. */
const coordinate = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, "must be 32 bytes in base64url without padding");

const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

const members = {
  kty: z.enum(["EC", "OKP"]),
  crv: z.enum(["P-256", "Ed25519"]),
  x: coordinate,
  y: coordinate.optional(),
  kid: z
    .string()
    .regex(/^[\x20-\x7e]{1,256}$/, "must be 1 to 256 printable ASCII characters")
    .optional(),
  use: z.literal("sig").optional(),
  alg: z.enum(["ES256", "EdDSA", "Ed25519"]).optional(),
  key_ops: z.array(z.literal("verify")).length(1).optional(),
  ext: z.boolean().optional(),
};

/** What each key type must say of itself (RFC 7518 section 6.2, RFC 8037 section 2, RFC 9864). */
const expected = {
  EC: { crv: "P-256", algorithms: ["ES256"] },
  OKP: { crv: "Ed25519", algorithms: ["EdDSA", "Ed25519"] },
} as const satisfies Record<"EC" | "OKP", { crv: string; algorithms: readonly string[] }>;

/** A public key that a stamp may sign with. Private and unknown members are refused; `use` and `alg` must fit. */
export const publicJwk = z
  .strictObject(members, { error: refusedMembers })
  .superRefine((jwk, context) => {
    const { crv, algorithms } = expected[jwk.kty];
    const complain = (member: keyof typeof members, message: string) =>
      context.addIssue({ code: "custom", path: [member], message });
    if (jwk.crv !== crv) return complain("crv", `must be ${crv} where kty is ${jwk.kty}`);
    if (jwk.kty === "EC" && jwk.y === undefined) return complain("y", "is needed where kty is EC");
    if (jwk.kty === "OKP" && jwk.y !== undefined) return complain("y", "must be left out where kty is OKP");
    if (jwk.alg !== undefined && !algorithms.some((name) => name === jwk.alg)) {
      complain("alg", `must be ${algorithms.join(" or ")} where kty is ${jwk.kty}, or be left out`);
    }
    if (!isPoint(jwk)) complain("x", `must be a point of ${crv}: export the public key again`);
    if (jwk.kty === "OKP" && hasSmallOrder(jwk.x)) complain("x", "must not be a point of small order: make a new key");
  })
  .meta({ id: "PublicJwk", description: "Public key as a JWK: EC P-256 or OKP Ed25519." });
export type PublicJwk = z.infer<typeof publicJwk>;

/** The members that are the key itself. */
type KeyMaterial = Pick<PublicJwk, "kty" | "crv" | "x" | "y">;
const materialOf = ({ kty, crv, x, y }: KeyMaterial) => ({ kty, crv, x, ...(y === undefined ? {} : { y }) });

/** A stamp signs every request with the same key, and reading it each time is a good part of checking the signature. */
const mostRemembered = 1000;
const remembered = new Map<string, KeyObject>();

/** The key for `node:crypto`. Throws if it is no point of its curve, which `publicJwk` has ruled out. */
export function publicKeyOf(jwk: KeyMaterial): KeyObject {
  const material = materialOf(jwk);
  const name = JSON.stringify(material);
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: material, format: "jwk" });
  if (remembered.size >= mostRemembered) remembered.clear();
  remembered.set(name, key);
  return key;
}

/** RFC 7638 thumbprint, base64url of a SHA-256. */
export const jwkThumbprint = (jwk: KeyMaterial): Promise<string> => calculateJwkThumbprint(materialOf(jwk), "sha256");

/** Whether both are the same key, whatever `kid` or `use` say beside it. */
export const sameKey = (one: PublicJwk, other: PublicJwk): boolean =>
  one.kty === other.kty && one.crv === other.crv && one.x === other.x && one.y === other.y;

function refusedMembers(issue: { readonly code: string; readonly keys?: unknown }): string | undefined {
  if (issue.code !== "unrecognized_keys" || !Array.isArray(issue.keys)) return undefined;
  const secret = issue.keys.filter((key) => privateMembers.includes(key));
  if (secret.length === 0) return `must not have ${issue.keys.join(", ")}: only ${Object.keys(members).join(", ")}`;
  return `must not have ${secret.join(", ")}: send the public half only, and make a new key, for this one has been shown`;
}

function isPoint(jwk: KeyMaterial): boolean {
  try {
    publicKeyOf(jwk);
    return true;
  } catch {
    return false;
  }
}

/**
 * The encodings of Ed25519's eight points of small order, without the sign bit (RFC 8032 section 5.1 allows them as
 * keys). Under such a key anybody can make signatures that verify, unless the platform refuses it by itself.
 */
const smallOrder = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

function hasSmallOrder(x: string): boolean {
  const point = Buffer.from(x, "base64url");
  point[31] = (point[31] ?? 0) & 0x7f;
  return smallOrder.has(point.toString("hex"));
}
