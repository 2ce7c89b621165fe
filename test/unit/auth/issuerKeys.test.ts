import { generateKeyPairSync } from "node:crypto";
import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { issuerKeys } from "../../../shared/auth/issuerKeys.ts";
import { tokenVerifierWith } from "../../../shared/auth/tokens.ts";
import { codeOf, refusal } from "./support.ts";

/** When the issuer is asked for its keys, and what is said of a token meanwhile. */

const second = 1000;
const hour = 3600 * second;
const begin = Date.parse("2026-11-22T12:00:00Z");
const tenant = "11111111-2222-4333-8444-555555555555";
const pairs = { old: keyPair(), new: keyPair(), junk: keyPair() };
type Kid = keyof typeof pairs;

function keyPair() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

const keySet = (...kids: readonly Kid[]) =>
  Response.json({ keys: kids.map((kid) => ({ ...pairs[kid].publicKey.export({ format: "jwk" }), kid, use: "sig" })) });

/** An issuer whose answer can be changed, a clock that can be moved, and a verifier between them. */
function scene(answer: () => Promise<Response> | Response) {
  const issuer = { answer, asked: 0 };
  let time = begin;
  const keys = issuerKeys({
    url: "https://login.example.com/keys",
    now: () => new Date(time),
    fetch: async () => {
      issuer.asked += 1;
      return await issuer.answer();
    },
  });
  const settings = { issuer: "https://login.example.com", audience: "us", tenantId: tenant, scope: "s" };
  const verify = tokenVerifierWith(keys, { ...settings, trustedClients: {} });
  const bearer = async (kid: Kid) => {
    const seconds = time / second;
    const claims = { tid: tenant, oid: tenant, ver: "2.0", roles: ["Support.Engineer"], scp: "s" };
    const times = { iat: seconds, nbf: seconds, exp: seconds + 3600 };
    const token = new SignJWT({ iss: settings.issuer, aud: settings.audience, ...claims, ...times });
    return `Bearer ${await token.setProtectedHeader({ alg: "ES256", kid }).sign(pairs[kid].privateKey)}`;
  };
  const bring = async (kid: Kid): Promise<string> => {
    const answered = verify(await bearer(kid), new Date(time));
    return await answered.then(
      () => "accepted",
      (error: unknown) => codeOf(Promise.reject(error)),
    );
  };
  const pass = (milliseconds: number) => {
    time += milliseconds;
  };
  return { issuer, bring, bearer, verify, pass, now: () => new Date(time) };
}

const outage = () => Promise.reject(new TypeError("fetch failed"));

describe("the issuer is asked once", () => {
  it("for 50 good tokens, one after the other or at the same moment", async () => {
    const { issuer, bring } = scene(() => keySet("old"));
    for (let count = 0; count < 25; count += 1) expect(await bring("old")).toBe("accepted");
    expect(await Promise.all(Array.from({ length: 25 }, () => bring("old")))).toEqual(Array(25).fill("accepted"));
    expect(issuer.asked).toBe(1);
  });

  it("for 50 junk tokens, which are refused as such", async () => {
    const { issuer, bring } = scene(() => keySet("old"));
    for (let count = 0; count < 50; count += 1) expect(await bring("junk")).toBe("TokenInvalid");
    expect(issuer.asked).toBe(1);
  });

  it("for 50 junk tokens while it does not answer, which are judged later", async () => {
    const { issuer, bring, pass } = scene(outage);
    for (let count = 0; count < 50; count += 1) expect(await bring("junk")).toBe("ServiceUnavailable");
    expect(issuer.asked).toBe(1);
    pass(5 * second);
    for (let count = 0; count < 50; count += 1) expect(await bring("junk")).toBe("ServiceUnavailable");
    expect(issuer.asked).toBe(2);
  });

  it("in 30 s for 50 junk tokens while it does not answer any more", async () => {
    const { issuer, bring, pass } = scene(() => keySet("old"));
    await bring("old");
    issuer.answer = outage;
    pass(31 * second);
    for (let count = 0; count < 50; count += 1) expect(await bring("junk")).toBe("ServiceUnavailable");
    expect(issuer.asked).toBe(2);
  });
});

describe("after a rotation", () => {
  it("a new key is found within 30 s", async () => {
    const { issuer, bring, pass } = scene(() => keySet("old"));
    expect(await bring("old")).toBe("accepted");
    issuer.answer = () => keySet("new");
    pass(29 * second);
    expect([await bring("new"), await bring("old")]).toEqual(["TokenInvalid", "accepted"]);
    pass(second);
    expect([await bring("new"), await bring("old")]).toEqual(["accepted", "TokenInvalid"]);
    expect(issuer.asked).toBe(2);
  });

  it("a key that the issuer withdrew works for ten minutes at most", async () => {
    const { issuer, bring, pass } = scene(() => keySet("old"));
    expect(await bring("old")).toBe("accepted");
    issuer.answer = () => keySet("new");
    pass(600 * second);
    expect(await bring("old")).toBe("TokenInvalid");
  });

  it("a new key is found soon after the issuer answers again", async () => {
    const { issuer, bring, pass } = scene(outage);
    expect(await bring("new")).toBe("ServiceUnavailable");
    issuer.answer = () => keySet("new");
    pass(5 * second);
    expect(await bring("new")).toBe("accepted");
  });
});

describe("through an outage of the issuer", () => {
  it("the keys that it gave before go on working for 24 hours, and no longer", async () => {
    const { issuer, bring, pass } = scene(() => keySet("old"));
    await bring("old");
    issuer.answer = outage;
    pass(24 * hour - second);
    expect(await bring("old")).toBe("accepted");
    pass(second);
    expect(await bring("old")).toBe("ServiceUnavailable");
    issuer.answer = () => keySet("old");
    pass(5 * second);
    expect(await bring("old")).toBe("accepted");
  });

  it("it is asked every 30 s, and not for each token", async () => {
    const { issuer, bring, pass } = scene(() => keySet("old"));
    await bring("old");
    issuer.answer = outage;
    pass(hour);
    for (let count = 0; count < 50; count += 1) expect(await bring("old")).toBe("accepted");
    expect(issuer.asked).toBe(2);
    pass(30 * second);
    await bring("old");
    expect(issuer.asked).toBe(3);
  });
});

describe("the service is unavailable where the issuer", () => {
  const late = Object.assign(new Error("too late"), { name: "TimeoutError" });
  it.each<[what: string, answer: () => Promise<Response> | Response]>([
    ["does not answer in time", () => Promise.reject(late)],
    ["cannot be reached", outage],
    ["answers with an error page", () => new Response("no", { status: 500 })],
    ["redirects", () => new Response(null, { status: 302, headers: { location: "https://elsewhere.example" } })],
    ["answers with what is no JSON", () => new Response("<html>")],
    ["answers with what is no key set", () => Response.json({ keys: "none" })],
  ])("%s, and says nothing of the token", async (_what, answer) => {
    const { verify, bearer, now } = scene(answer);
    const error = await refusal(verify(await bearer("old"), now()));
    expect(error.code).toBe("ServiceUnavailable");
    expect(error.retryAfterSeconds).toBeGreaterThan(0);
    expect(error.cause).toBeDefined();
  });
});
