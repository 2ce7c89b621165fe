import { CompactSign } from "jose";
import { describe, expect, it } from "vitest";
import { verifyKeyProof } from "../../../shared/auth/keyProof.ts";
import { makeKey, refusal, type TestKey } from "./support.ts";

const stampId = "7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10";
const claims = { stampId, keyId: "k2" };
const ec = makeKey("EC", "k2");
const okp = makeKey("OKP", "k2");

const proofOf = (payload: unknown, { privateKey }: TestKey, alg = "ES256"): Promise<string> =>
  new CompactSign(Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)))
    .setProtectedHeader({ alg })
    .sign(privateKey);

const check = (proof: string, { jwk }: TestKey = ec) => verifyKeyProof(proof, { jwk, stampId, keyId: "k2" });

describe("a proof of a new key is accepted", () => {
  it.each([
    ["ES256", ec],
    ["EdDSA", okp],
    ["Ed25519", okp],
  ])("by %s", async (alg, key) => {
    await check(await proofOf(claims, key, alg), key);
  });

  it("whatever the case of the stamp's id", async () => {
    await check(await proofOf({ ...claims, stampId: stampId.toUpperCase() }, ec));
  });
});

describe("a proof of a new key is refused", () => {
  const other = makeKey("EC");
  const hs256 = (secret: Uint8Array) =>
    new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: "HS256" }).sign(secret);
  const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`;

  it.each([
    ["by another key", () => proofOf(claims, other), /signed by the private half of jwk/],
    ["by a shared secret", () => hs256(Buffer.from(JSON.stringify(ec.jwk))), /alg ES256/],
    ["unsigned", async () => unsigned, /compact JWS/],
    ["as nonsense", async () => "a.b.c", /compact JWS/],
    ["empty", async () => "", /compact JWS/],
    ["with a payload that is no JSON", () => proofOf("{", ec), /compact JWS/],
    ["for another stamp", () => proofOf({ ...claims, stampId: stampId.replace("7", "8") }, ec), /stampId must be/],
    ["for another keyId", () => proofOf({ ...claims, keyId: "k3" }, ec), /keyId must be/],
    ["without a keyId", () => proofOf({ stampId }, ec), /payload must be/],
    ["with more than it should say", () => proofOf({ ...claims, admin: true }, ec), /payload must be/],
    ["about nothing", () => proofOf(null, ec), /payload must be/],
  ])("%s", async (_what, make, message) => {
    const error = await refusal(check(await make()));
    expect({ code: error.code, target: error.target }).toEqual({ code: "InvalidBody", target: "/proof" });
    expect(error.message).toMatch(message);
  });
});
