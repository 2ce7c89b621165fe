import { generateKeyPairSync, type KeyObject } from "node:crypto";
import fc from "fast-check";
import { createLocalJWKSet, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { kindsOf, roles } from "../../../shared/auth/roles.ts";
import { makeTokenVerifier, tokenVerifierWith } from "../../../shared/auth/tokens.ts";
import { codeOf, now, nowSeconds, refusal } from "./support.ts";

const issuer = "https://login.example.com/tenant/v2.0";
const audience = "api://stamp-intake";
const tenantId = "11111111-2222-4333-8444-555555555555";
const oid = "AAAAAAAA-bbbb-4ccc-8ddd-eeeeeeeeeeee";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });

const published = createLocalJWKSet({
  keys: [
    { ...rsa.publicKey.export({ format: "jwk" }), kid: "rsa", use: "sig" },
    { ...ec.publicKey.export({ format: "jwk" }), kid: "ec", use: "sig" },
  ],
});
const settings = { issuer, audience, tenantId, scope: "access_as_user", trustedClients: {} };
const verify = tokenVerifierWith(published, settings);

const goodClaims = {
  iss: issuer,
  aud: audience,
  tid: tenantId,
  oid,
  ver: "2.0",
  azp: "bbbbbbbb-cccc-4ddd-8eee-ffffffffffff",
  iat: nowSeconds - 10,
  nbf: nowSeconds - 10,
  exp: nowSeconds + 3600,
  roles: ["Support.Engineer"],
  scp: "access_as_user",
};
const goodScope = { scp: "access_as_user", idtyp: undefined };
/** What an application gets for itself. */
const appOnly = { scp: undefined, idtyp: "app" };

type Signing = {
  readonly alg?: string;
  readonly kid?: string;
  readonly key?: KeyObject | Uint8Array;
  /** `null` leaves it out. */
  readonly typ?: unknown;
};

const token = (
  change: Record<string, unknown> = {},
  { alg = "RS256", kid = "rsa", key = rsa.privateKey, typ = "JWT" }: Signing = {},
) =>
  new SignJWT({ ...goodClaims, ...change })
    .setProtectedHeader({ alg, kid, ...(typ === null ? {} : { typ: typ as string }) })
    .sign(key);
const bearer = async (change?: Record<string, unknown>, signing?: Signing) => `Bearer ${await token(change, signing)}`;

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a token is accepted", () => {
  it.each([
    ["RS256", "rsa", rsa.privateKey],
    ["PS256", "rsa", rsa.privateKey],
    ["ES256", "ec", ec.privateKey],
  ])("signed by %s", async (alg, kid, key) => {
    expect(await verify(await bearer({}, { alg, kid, key }), now)).toEqual({ oid: oid.toLowerCase(), role: "E" });
  });

  it.each(Object.entries(roles))("with the role %s as %s", async (name, role) => {
    const kind = kindsOf[role].includes("delegated") ? {} : appOnly;
    expect(await verify(await bearer({ roles: [name, "Somebody.Elses", name], ...kind }), now)).toMatchObject({ role });
  });

  it("of an auditor and of an auditor's application alike", async () => {
    const auditor = { roles: ["Compliance.Audit"] };
    expect(await verify(await bearer(auditor), now)).toMatchObject({ role: "A" });
    expect(await verify(await bearer({ ...auditor, ...appOnly }), now)).toMatchObject({ role: "A" });
  });

  it.each([null, "JWT", "jwt", "at+jwt", "AT+JWT"])("with the typ %s", async (typ) => {
    expect(await verify(await bearer({}, { typ }), now)).toMatchObject({ role: "E" });
  });

  it.each([
    ["with the scheme in other letters", async () => `bEARER  ${await token()}`],
    ["with the tenant in capitals", () => bearer({ tid: tenantId.toUpperCase() })],
    ["among other audiences", () => bearer({ aud: ["api://other", audience] })],
    ["59 s after it expired", () => bearer({ exp: nowSeconds - 59 })],
    ["60 s before it becomes valid", () => bearer({ nbf: nowSeconds + 60 })],
    ["that lives for 24 hours", () => bearer({ exp: nowSeconds - 10 + 86_400 })],
    ["with the scope among others", () => bearer({ scp: "openid access_as_user" })],
    ["that says that it is a person's", () => bearer({ idtyp: "user" })],
  ])("%s", async (_what, make) => {
    expect(await verify(await make(), now)).toMatchObject({ role: "E" });
  });
});

describe("a token is refused as invalid", () => {
  const publicPem = rsa.publicKey.export({ format: "pem", type: "spki" });

  it.each([
    ["as another scheme", async () => `Basic ${Buffer.from("a:b").toString("base64")}`],
    ["as a bare word", async () => "Bearer"],
    ["as two", async () => `${await bearer()}, ${await bearer()}`],
    ["as nonsense", async () => "Bearer a.b.c"],
    ["as JWE", async () => "Bearer a.b.c.d.e"],
    ["empty", async () => ""],
    ["signed by a stranger", () => bearer({}, { key: stranger.privateKey })],
    ["under a kid that nobody published", () => bearer({}, { kid: "other" })],
    ["signed by alg none", async () => `Bearer ${encoded({ alg: "none", kid: "rsa" })}.${encoded(goodClaims)}.`],
    ["signed by HS256 with the public key", () => bearer({}, { alg: "HS256", key: Buffer.from(publicPem) })],
    ["signed by an algorithm that is not on our list", () => bearer({}, { alg: "RS512" })],
    ["of another issuer", () => bearer({ iss: "https://login.example.com/other/v2.0" })],
    ["without issuer", () => bearer({ iss: undefined })],
    ["for another audience", () => bearer({ aud: "api://other" })],
    ["without audience", () => bearer({ aud: undefined })],
    ["of another tenant", () => bearer({ tid: oid })],
    ["without tenant", () => bearer({ tid: undefined })],
    ["without object id", () => bearer({ oid: undefined })],
    ["with an object id that is no GUID", () => bearer({ oid: "me" })],
    ["without exp", () => bearer({ exp: undefined })],
    ["without nbf", () => bearer({ nbf: undefined })],
    ["with exp as a text", () => bearer({ exp: "tomorrow" })],
    ["61 s before it becomes valid", () => bearer({ nbf: nowSeconds + 61 })],
    ["with roles as a text", () => bearer({ roles: "Support.Engineer" })],
  ])("%s", async (_what, make) => {
    expect(await codeOf(verify(await make(), now))).toBe("TokenInvalid");
  });

  const ofManager = { roles: ["Registration.Manage"], ...appOnly };
  const ofCaseSystem = { roles: ["Cases.Sync"], ...appOnly };
  const ofAuditor = { roles: ["Compliance.Audit"] };
  it.each<[what: string, make: () => Promise<string>, why: RegExp]>([
    ["as a logout token", () => bearer({}, { typ: "logout+jwt" }), /typ/],
    ["with a typ that is a number", () => bearer({}, { typ: 5 }), /typ/],
    ["as a token of another type", () => bearer({}, { typ: "application/at+jwt+x" }), /typ/],
    ["of version 1.0", () => bearer({ ver: "1.0" }), /claim ver/],
    ["without version", () => bearer({ ver: undefined }), /claim ver/],
    ["as an ID token, by its nonce", () => bearer({ nonce: "n" }), /nonce.*ID token/],
    ["as an ID token, by its at_hash", () => bearer({ at_hash: "h" }), /at_hash.*ID token/],
    ["as an ID token of an auditor without either", () => bearer({ ...ofAuditor, scp: undefined }), /scope access_as_/],
    ["that lives for more than 24 hours", () => bearer({ exp: nowSeconds - 10 + 86_401 }), /24 hours/],
    ["that lives for ten years", () => bearer({ exp: nowSeconds + 315_360_000 }), /24 hours/],
    [
      "that is said to be issued in ten years, so that it lives until then",
      () => bearer({ iat: nowSeconds + 315_360_000, exp: nowSeconds + 315_363_600 }),
      /claim iat/,
    ],
    ["without iat", () => bearer({ iat: undefined }), /claim iat/],
    ["with iat as a text", () => bearer({ iat: "today" }), /claim iat/],
    ["of an engineer without scope", () => bearer({ scp: undefined }), /Support.Engineer.*scope access_as_user/],
    ["of an engineer with another scope", () => bearer({ scp: "access_as_users openid" }), /scope access_as_user/],
    ["of an engineer with scopes in a list", () => bearer({ scp: ["access_as_user"] }), /claim scp/],
    ["of an application with an engineer's role", () => bearer(appOnly), /Support.Engineer.*person/],
    ["of an application with a person's scope", () => bearer({ idtyp: "app" }), /Support.Engineer.*person/],
    ["of a person who manages registrations", () => bearer({ ...ofManager, ...goodScope }), /Registration.Manage.*app/],
    ["of a manager without idtyp", () => bearer({ ...ofManager, idtyp: undefined }), /Registration.Manage.*idtyp/],
    ["of a manager's application with a scope", () => bearer({ ...ofManager, scp: "x" }), /Registration.Manage.*app/],
    ["of a person who syncs cases", () => bearer({ ...ofCaseSystem, ...goodScope }), /Cases.Sync.*app/],
    ["of a case system with a scope", () => bearer({ ...ofCaseSystem, scp: "" }), /Cases.Sync.*app/],
    ["of an auditor with another scope", () => bearer({ ...ofAuditor, scp: "openid" }), /Compliance.Audit/],
    ["of an auditor's application with a scope", () => bearer({ ...ofAuditor, idtyp: "app" }), /Compliance.Audit/],
    ["of a device", () => bearer({ idtyp: "device" }), /Support.Engineer/],
  ])("%s, saying which", async (_what, make, why) => {
    const error = await refusal(verify(await make(), now));
    expect(error.code).toBe("TokenInvalid");
    expect(error.message).toMatch(why);
  });

  describe("where clients are listed,", () => {
    const portal = "CCCCCCCC-cccc-4ddd-8eee-ffffffffffff";
    const choosy = tokenVerifierWith(published, { ...settings, trustedClients: { "Support.Engineer": [portal] } });

    it.each([
      ["of a foreign client", {}],
      ["without client", { azp: undefined }],
    ])("%s", async (_what, change) => {
      const error = await refusal(choosy(await bearer(change), now));
      expect(error).toMatchObject({ code: "TokenInvalid", message: expect.stringMatching(/azp.*Support.Engineer/) });
    });

    it("but not of a listed one, nor in a role that has no list", async () => {
      expect(await choosy(await bearer({ azp: portal.toLowerCase() }), now)).toMatchObject({ role: "E" });
      expect(await choosy(await bearer(ofCaseSystem), now)).toMatchObject({ role: "C" });
    });
  });

  it("with any character of it changed", async () => {
    const good = await token();
    const [head = "", body = "", signature = ""] = good.split(".");
    // The last character of the signature holds bits that mean nothing, so it is spared.
    const places = fc.integer({ min: 0, max: head.length + body.length + signature.length });
    await fc.assert(
      fc.asyncProperty(places, fc.constantFrom(..."AZaz09-_"), async (place, character) => {
        fc.pre(good[place] !== character && good[place] !== ".");
        const altered = good.slice(0, place) + character + good.slice(place + 1);
        expect(await codeOf(verify(`Bearer ${altered}`, now))).toBe("TokenInvalid");
      }),
    );
  });

  it("as any text at all", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
        expect(await codeOf(verify(text, now))).toBe("TokenInvalid");
        expect(await codeOf(verify(`Bearer ${Buffer.from(text).toString("base64url")}.e30.`, now))).toBe(
          "TokenInvalid",
        );
      }),
    );
  });
});

describe("a good token is refused", () => {
  it.each([
    ["once it has expired", { exp: nowSeconds - 61 }, "TokenExpired"],
    ["with two of our roles", { roles: ["Support.Engineer", "Compliance.Audit"] }, "ConflictingRoles"],
    ["with all of our roles", { roles: Object.keys(roles) }, "ConflictingRoles"],
    ["with another application's role", { roles: ["Reader", "toString"] }, "RoleMissing"],
    ["with no role", { roles: [] }, "RoleMissing"],
    ["without the claim", { roles: undefined }, "RoleMissing"],
  ] as const)("%s", async (_what, change, code) => {
    expect(await codeOf(verify(await bearer(change), now))).toBe(code);
  });

  it("as invalid rather than expired, where it is another's", async () => {
    expect(await codeOf(verify(await bearer({ exp: 1, aud: "api://other" }), now))).toBe("TokenInvalid");
  });

  it("without its content in the error, for that ends in a log", async () => {
    const good = await token({ exp: 1 });
    const error = await refusal(verify(`Bearer ${good}`, now));
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toMatch(/eyJ|bbbb-4ccc/);
    expect(error.cause).toBeUndefined();
  });
});

describe("without the issuer's keys", () => {
  it("a token that could never be accepted is refused all the same", async () => {
    const withoutKeys = tokenVerifierWith(() => expect.fail("was asked for"), settings);
    expect(await codeOf(withoutKeys(`Bearer ${encoded({ alg: "none" })}.${encoded(goodClaims)}.`, now))).toBe(
      "TokenInvalid",
    );
    expect(await codeOf(withoutKeys(await bearer({}, { alg: "HS256", key: Buffer.alloc(32) }), now))).toBe(
      "TokenInvalid",
    );
  });

  it("that the settings name, because nobody listens there, the service is unavailable", async () => {
    const nowhere = makeTokenVerifier({ ...settings, jwksUrl: "http://127.0.0.1:1/keys", now: () => now });
    const error = await refusal(nowhere(await bearer(), now));
    expect(error.code).toBe("ServiceUnavailable");
    expect(error.retryAfterSeconds).toBeGreaterThan(0);
  });
});
