import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { jwkThumbprint, publicJwk, publicKeyOf, sameKey } from "../../../shared/api/publicJwk.ts";
import { makeKey } from "./support.ts";

const ec = makeKey("EC").jwk;
const okp = makeKey("OKP").jwk;

/** The issues that a key is refused with, as `path message`. */
function complaints(key: unknown): readonly string[] {
  const parsed = publicJwk.safeParse(key);
  return parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join("/")} ${issue.message}`);
}

describe("a public key is accepted", () => {
  it("as EC P-256 or OKP Ed25519", () => {
    expect(publicJwk.parse(ec)).toEqual(ec);
    expect(publicJwk.parse(okp)).toEqual(okp);
  });

  it("with the members that fit it", () => {
    const beside = { kid: "urn:key 1", use: "sig", key_ops: ["verify"], ext: true };
    expect(complaints({ ...ec, ...beside, alg: "ES256" })).toEqual([]);
    expect(complaints({ ...okp, ...beside, alg: "EdDSA" })).toEqual([]);
    expect(complaints({ ...okp, ...beside, alg: "Ed25519" })).toEqual([]);
  });
});

describe("a public key is refused", () => {
  const privateEc = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const privateOkp = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "jwk" });
  const x25519 = generateKeyPairSync("x25519").publicKey.export({ format: "jwk" });

  it.each([
    ["with its private half", privateEc, /must not have d: send the public half only/],
    ["with its private half, Ed25519", privateOkp, /must not have d: send the public half only/],
    ["with a member that is unknown", { ...ec, x5c: ["MII"] }, /must not have x5c/],
    ["as RSA", rsa, /^kty /],
    ["as a shared secret", { kty: "oct", k: "c2VjcmV0" }, /^kty /],
    ["on another curve", p384, /^crv /],
    ["for key agreement", x25519, /^crv /],
    ["of a type that is not its curve's", { ...okp, kty: "EC", y: okp.x }, /^crv must be P-256 where kty is EC/],
    ["of a curve that is not its type's", { ...ec, kty: "OKP" }, /^crv must be Ed25519 where kty is OKP/],
    ["without y", { ...ec, y: undefined }, /^y is needed/],
    ["with a y that it has no use for", { ...okp, y: ec.y }, /^y must be left out/],
    ["off the curve", { ...ec, y: ec.x }, /^x must be a point of P-256/],
    ["for another algorithm", { ...ec, alg: "EdDSA" }, /^alg must be ES256/],
    ["for an unknown algorithm", { ...ec, alg: "HS256" }, /^alg /],
    ["for encryption", { ...ec, use: "enc" }, /^use /],
    ["for signing", { ...ec, key_ops: ["sign"] }, /^key_ops/],
    ["with padding", { ...ec, x: `${ec.x}=` }, /^x must be 32 bytes in base64url/],
    ["too short", { ...okp, x: okp.x.slice(4) }, /^x must be 32 bytes in base64url/],
    [
      "in a second spelling of the same bytes",
      { ...okp, x: "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bt" },
      /^x must be/,
    ],
    ["with a kid of control characters", { ...ec, kid: "a\u0000" }, /^kid /],
    ["as no object", "k1", /expected object/],
  ])("%s", (_what, key, complaint) => {
    expect(complaints(key).join("\n")).toMatch(new RegExp(complaint.source, "m"));
  });

  it("without ever repeating the private half", () => {
    expect(complaints(privateEc).join()).not.toContain(privateEc.d);
  });
});

/** Node 24 verifies nothing under these; Node 20 verified signatures that nobody had made. */
describe("a key of small order", () => {
  const encodings = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ];
  const jwkOf = (hex: string) => ({ kty: "OKP", crv: "Ed25519", x: Buffer.from(hex, "hex").toString("base64url") });

  it.each(encodings)("is refused: %s", (hex) => {
    expect(complaints(jwkOf(hex))).toEqual(["x must not be a point of small order: make a new key"]);
  });
});

describe("two keys", () => {
  it("are the same whatever stands beside them", () => {
    expect(sameKey(ec, { ...ec, kid: "other", use: "sig" })).toBe(true);
    expect(sameKey(ec, makeKey("EC").jwk)).toBe(false);
    expect(sameKey(okp, makeKey("OKP").jwk)).toBe(false);
    expect(sameKey(ec, okp)).toBe(false);
  });

  it("have the thumbprint of RFC 8037 appendix A.3", async () => {
    const jwk = publicJwk.parse({
      kty: "OKP",
      crv: "Ed25519",
      x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
      kid: "x",
    });
    expect(await jwkThumbprint(jwk)).toBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  });
});

describe("a key that was read", () => {
  it("is remembered by what it is, whatever is said beside it", () => {
    const [one, other] = [publicJwk.parse({ ...ec, kid: "one" }), publicJwk.parse({ ...ec, kid: "other" })];
    expect(publicKeyOf(one)).toBe(publicKeyOf(other));
    expect(publicKeyOf(ec)).not.toBe(publicKeyOf(okp));
  });

  it("is itself, also when more were read than are remembered", () => {
    const keys = Array.from({ length: 1100 }, () => makeKey("OKP").jwk);
    for (const jwk of [...keys, ...keys]) expect(publicKeyOf(jwk).export({ format: "jwk" }).x).toBe(jwk.x);
  });
});
