import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createHttpHeaders, type HttpClient, type PipelineRequest } from "@azure/core-rest-pipeline";
import { calculateJwkThumbprint, compactVerify, createLocalJWKSet } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { keyVaultPaperSigner } from "../../../shared/auth/keyVaultPapers.ts";
import { codeOf, now, nowSeconds } from "./support.ts";

/** Key Vault's answers (REST API 7.x) to the real SDK, through an HTTP client that has no network. */

const keyId = "https://papers.vault.azure.net/keys/papers";
const claims = { iss: "https://intake.example.com", iat: nowSeconds };
const typ = "checkpoint+jwt";
const minute = 60;
const day = 86_400;

type Attributes = { enabled: boolean; created: number; exp?: number; nbf?: number };
type Version = {
  readonly name: string;
  readonly key: KeyObject;
  readonly kid: string;
  readonly attributes: Attributes;
};

async function version(name: string, age: number, change: Partial<Attributes> = {}, curve = "P-256"): Promise<Version> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: curve });
  const kid = await calculateJwkThumbprint(publicMembers(privateKey));
  return { name, key: privateKey, kid, attributes: { enabled: true, created: nowSeconds - age, ...change } };
}

function publicMembers(key: KeyObject): { kty: string; crv: string; x: string; y: string } {
  const { kty = "", crv = "", x = "", y = "" } = key.export({ format: "jwk" });
  return { kty, crv, x, y };
}

/** A vault that holds these versions, counts what it is asked, and can be down. */
function fakeVault(versions: readonly Version[]) {
  const state = { up: true, requests: 0, signing: 0 };
  const answer = (request: PipelineRequest): readonly [status: number, body: unknown] => {
    state.requests += 1;
    if (!state.up) return [503, {}];
    if (request.headers.get("authorization") !== "Bearer token") return [401, {}];
    const [, , , name, action] = new URL(request.url).pathname.split("/");
    if (name === "versions") {
      return [200, { value: versions.map((of) => ({ kid: `${keyId}/${of.name}`, attributes: of.attributes })) }];
    }
    const found = versions.find((of) => of.name === name);
    if (found === undefined) return [404, {}];
    if (!found.attributes.enabled) return [403, {}];
    const key = { kid: `${keyId}/${name}`, key_ops: ["sign", "verify"], ...publicMembers(found.key) };
    if (action === undefined) return [200, { key, attributes: found.attributes }];
    state.signing += 1;
    return [200, { kid: key.kid, value: signatureOf(found, String(request.body)) }];
  };
  const httpClient: HttpClient = {
    sendRequest: async (request) => {
      const [status, body] = answer(request);
      const headers = createHttpHeaders({ "content-type": "application/json", ...(status === 401 ? challenge : {}) });
      return { request, status, headers, bodyAsText: JSON.stringify(body) };
    },
  };
  return { state, httpClient };
}

const challenge = {
  "www-authenticate": 'Bearer authorization="https://login.example.com/t", resource="https://vault.azure.net"',
};

/** Key Vault is given a digest and `node:crypto` signs only whole messages, so the message must be the expected one. */
function signatureOf({ key, kid }: Version, body: string): string {
  const message = [{ alg: "ES256", kid, typ }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const value = createHash("sha256").update(message).digest("base64url");
  expect(JSON.parse(body)).toEqual({ alg: "ES256", value });
  return sign("sha256", Buffer.from(message), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
}

function signerOver(versions: readonly Version[]) {
  const { state, httpClient } = fakeVault(versions);
  const clock = { now };
  const signer = keyVaultPaperSigner({
    keyId,
    credential: { getToken: async () => ({ token: "token", expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) },
    now: () => clock.now,
    client: { httpClient, retryOptions: { maxRetries: 0 } },
  });
  const pass = (seconds: number) => {
    clock.now = new Date(clock.now.getTime() + seconds * 1000);
  };
  return { signer, state, pass };
}

/** Signs one paper, has the published set verify it, and tells which key signed. */
async function signerOf({ signer }: ReturnType<typeof signerOver>): Promise<string | undefined> {
  const paper = await signer.sign(typ, claims);
  const { protectedHeader, payload } = await compactVerify(paper, createLocalJWKSet(await signer.publicKeys()));
  expect(JSON.parse(new TextDecoder().decode(payload))).toEqual(claims);
  expect(protectedHeader.typ).toBe(typ);
  return protectedHeader.kid;
}

let old: Version;
let newer: Version;
let fresh: Version;
let disabled: Version;
beforeAll(async () => {
  old = await version("old", 100 * day);
  newer = await version("newer", day);
  fresh = await version("fresh", 19 * minute);
  disabled = await version("disabled", minute, { enabled: false });
});

describe("a signer in Key Vault", () => {
  it("signs with the newest enabled version", async () => {
    expect(await signerOf(signerOver([old, newer, disabled]))).toBe(newer.kid);
    expect(await signerOf(signerOver([newer, old]))).toBe(newer.kid);
  });

  it("publishes every enabled version, public half only", async () => {
    const { keys } = await signerOver([old, newer, disabled]).signer.publicKeys();
    const published = (of: Version) => ({ ...publicMembers(of.key), kid: of.kid, use: "sig", alg: "ES256" });
    expect(keys).toEqual([published(newer), published(old)]);
  });

  it("publishes a new version for 20 minutes before it signs with it", async () => {
    const over = signerOver([old, fresh]);
    expect(await signerOf(over)).toBe(old.kid);
    expect((await over.signer.publicKeys()).keys.map(({ kid }) => kid)).toContain(fresh.kid);
    over.pass(minute);
    expect(await signerOf(over)).toBe(fresh.kid);
  });

  it("signs with its only version however new that is", async () => {
    expect(await signerOf(signerOver([fresh]))).toBe(fresh.kid);
  });

  it("passes over versions that are not yet or no longer valid", async () => {
    const expired = await version("expired", minute * 30, { exp: nowSeconds - 1 });
    const future = await version("future", minute * 40, { nbf: nowSeconds + 1 });
    expect(await signerOf(signerOver([old, expired, future]))).toBe(old.kid);
  });

  it("asks for the versions once in ten minutes", async () => {
    const { signer, state, pass } = signerOver([old]);
    await Promise.all([signer.publicKeys(), signer.publicKeys()]);
    const first = state.requests;
    pass(9 * minute);
    await signer.publicKeys();
    expect(state.requests).toBe(first);
    pass(minute);
    await signer.publicKeys();
    expect(state.requests).toBeGreaterThan(first);
  });
});

describe("while Key Vault is down", () => {
  it("nothing is signed: the service is unavailable, and recovers", async () => {
    const over = signerOver([old]);
    over.state.up = false;
    expect(await codeOf(over.signer.sign(typ, claims))).toBe("ServiceUnavailable");
    expect(await codeOf(over.signer.publicKeys())).toBe("ServiceUnavailable");
    over.state.up = true;
    expect(await signerOf(over)).toBe(old.kid);
  });

  it("the keys that were known are published still", async () => {
    const { signer, state, pass } = signerOver([old]);
    const known = await signer.publicKeys();
    state.up = false;
    pass(day);
    expect(await signer.publicKeys()).toEqual(known);
    expect(await codeOf(signer.sign(typ, claims))).toBe("ServiceUnavailable");
  });
});

describe("a key that cannot sign papers", () => {
  it("makes the service unavailable where all its versions are disabled", async () => {
    const { signer, state } = signerOver([disabled]);
    expect(await codeOf(signer.sign(typ, claims))).toBe("ServiceUnavailable");
    expect(state.signing).toBe(0);
  });

  it("is an error that names the setting where it is of another curve", async () => {
    const { signer } = signerOver([await version("wide", day, {}, "P-384")]);
    await expect(signer.sign(typ, claims)).rejects.toThrow(/^SIGNING_KEY_ID: .* is no EC P-256 key$/);
  });
});
