import { createHash, createPublicKey, verify } from "node:crypto";
import { verifySignature } from "http-message-sig";
import { createVerifier, httpbis } from "http-message-signatures";
import { describe, expect, test } from "vitest";
import { generateKey, publicHalf, signingKey } from "../../../client/keys.ts";
import { signedHeaders, type UnsignedRequest } from "../../../client/signing.ts";

const now = new Date("2026-11-22T12:00:00.700Z");
const url = "https://intake.example.com/stamps/x/bundles/y:submit?api-version=2026-11-01";
const body = new TextEncoder().encode('{"sizeBytes":1}');

const jwk = generateKey();
const key = await signingKey(jwk);
const publicKey = createPublicKey({ key: publicHalf(jwk), format: "jwk" });
const isSignedBy = (data: Uint8Array, signature: Uint8Array) =>
  verify("sha256", data, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature);

async function verified(request: UnsignedRequest, headers: Readonly<Record<string, string>>) {
  return verifySignature(new Request(request.url, { method: request.method, headers }), {
    policy: {
      algorithms: ["ecdsa-p256-sha256"],
      requiredComponents: ["@method", "@target-uri"],
      requiredParameters: ["created", "expires", "nonce", "keyid", "tag"],
      now: Math.floor(now.getTime() / 1000),
    },
    resolveVerifier: () => ({ algorithm: "ecdsa-p256-sha256", verify: isSignedBy }),
  });
}

describe("a signed request", () => {
  const request = { method: "POST", url, body };

  test("covers method, target and body, for at most 300 seconds, for this service", async () => {
    const { components, parameters } = await verified(request, await signedHeaders(request, key, now));
    expect(components.map(({ name }) => name)).toEqual(["@method", "@target-uri", "content-digest", "content-type"]);
    expect(parameters.created).toBe(Math.floor(now.getTime() / 1000));
    expect(Number(parameters.expires) - Number(parameters.created)).toBe(300);
    expect(parameters).toMatchObject({ keyid: key.keyId, tag: "stamp-intake" });
    expect(parameters.nonce).toMatch(/^[A-Za-z0-9_-]{16,64}$/);
  });

  test("carries the SHA-256 of the body's bytes", async () => {
    const headers = await signedHeaders(request, key, now);
    expect(headers["content-digest"]).toBe(`sha-256=:${createHash("sha256").update(body).digest("base64")}:`);
    expect(headers["content-type"]).toBe("application/json");
  });

  test("without a body has neither digest nor content type", async () => {
    const bare = { method: "GET", url };
    const headers = await signedHeaders(bare, key, now);
    expect(Object.keys(headers).sort()).toEqual(["signature", "signature-input"]);
    expect((await verified(bare, headers)).components).toHaveLength(2);
  });

  test("covers the conditions that it is sent under", async () => {
    const conditional = { ...request, conditions: { "if-match": '"a"', "if-none-match": "*" } };
    const headers = await signedHeaders(conditional, key, now);
    expect(headers).toMatchObject(conditional.conditions);
    const { components } = await verified(conditional, headers);
    expect(components.map(({ name }) => name).slice(-2)).toEqual(["if-match", "if-none-match"]);
    await expect(verified(conditional, { ...headers, "if-none-match": '"b"' })).rejects.toThrow();
  });

  test("has a new nonce each time", async () => {
    const inputs = await Promise.all(Array.from({ length: 50 }, () => signedHeaders(request, key, now)));
    const nonces = new Set(inputs.map((headers) => /nonce="([^"]+)"/.exec(headers["signature-input"] ?? "")?.[1]));
    expect(nonces.size).toBe(50);
  });

  test("does not verify for another target", async () => {
    const headers = await signedHeaders(request, key, now);
    await expect(verified({ ...request, url: url.replace("/y:", "/z:") }, headers)).rejects.toThrow();
  });

  test("is read the same by another implementation of RFC 9421", async () => {
    const headers = await signedHeaders(request, key, new Date());
    const accepted = await httpbis.verifyMessage(
      {
        keyLookup: async () => ({
          id: key.keyId,
          algs: ["ecdsa-p256-sha256"],
          verify: createVerifier(publicKey, "ecdsa-p256-sha256"),
        }),
        requiredFields: ["@method", "@target-uri", "content-digest", "content-type"],
        tolerance: 60,
      },
      { method: request.method, url, headers },
    );
    expect(accepted).toBe(true);
  });
});
