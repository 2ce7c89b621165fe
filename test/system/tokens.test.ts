import { createPublicKey, randomUUID } from "node:crypto";
import { generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import { registrationOf, stampActor } from "../support/system/stamp.ts";
import { compact, forgedToken, issuerKey, tokenParts } from "../support/system/tokens.ts";
import { unchanged } from "../support/system/unchanged.ts";
import { openWorld, type Role, type World } from "../support/system/world.ts";

/** API.md, Who: bearer tokens, and which caller may call what. */

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const seconds = (fromNow: number): number => Math.floor(Date.now() / 1000) + fromNow;

/** Registers a stamp with this Authorization, which has to change nothing. */
async function registerWith(authorization: string | undefined) {
  const stamp = stampActor(world);
  const headers = authorization === undefined ? {} : { authorization };
  return unchanged(world, stamp, () => world.anonymous("PUT", stamp.path, stamp.registration, { headers }));
}

describe("a token is refused, and nothing changes:", () => {
  const forged: readonly [what: string, code: string, token: () => Promise<string>][] = [
    [
      "expired",
      "TokenExpired",
      () => forgedToken(world, { exp: seconds(-120), nbf: seconds(-4000), iat: seconds(-4000) }),
    ],
    ["not valid yet", "TokenInvalid", () => forgedToken(world, { nbf: seconds(600), exp: seconds(4000) })],
    ["without expiry", "TokenInvalid", () => forgedToken(world, { exp: undefined })],
    ["of another audience", "TokenInvalid", () => forgedToken(world, { aud: randomUUID() })],
    [
      "of another issuer",
      "TokenInvalid",
      () => forgedToken(world, { iss: `https://issuer.invalid/${randomUUID()}/v2.0` }),
    ],
    ["of another tenant", "TokenInvalid", () => forgedToken(world, { tid: randomUUID() })],
    ["without an object id", "TokenInvalid", () => forgedToken(world, { oid: undefined })],
    ["with an object id that is none", "TokenInvalid", () => forgedToken(world, { oid: "somebody" })],
    [
      "by another key under the same kid",
      "TokenInvalid",
      async () => forgedToken(world, {}, { key: (await generateKeyPair("RS256")).privateKey }),
    ],
    ["by an unknown kid", "TokenInvalid", () => forgedToken(world, {}, { header: { kid: "nobody" } })],
    [
      "of alg none",
      "TokenInvalid",
      async () => {
        const { header, claims } = await tokenParts(world);
        return compact({ ...header, alg: "none" }, claims);
      },
    ],
    [
      "of alg None, with a signature",
      "TokenInvalid",
      async () => {
        const { header, claims } = await tokenParts(world);
        return compact({ ...header, alg: "None" }, claims, "signature");
      },
    ],
    [
      "of HS256, signed with the public key",
      "TokenInvalid",
      async () => {
        const { header, claims } = await tokenParts(world);
        const { kty, n, e } = await issuerKey(world);
        const pem = createPublicKey({ key: { kty: `${kty}`, n: `${n}`, e: `${e}` }, format: "jwk" }).export({
          type: "spki",
          format: "pem",
        });
        return new SignJWT(claims).setProtectedHeader({ ...header, alg: "HS256" }).sign(Buffer.from(pem));
      },
    ],
    [
      "with its claims altered",
      "TokenInvalid",
      async () => {
        const { token } = await world.person("A");
        const [head = "", payload = "", signature = ""] = token.split(".");
        const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
        return [
          head,
          Buffer.from(JSON.stringify({ ...claims, roles: ["Registration.Manage"] })).toString("base64url"),
          signature,
        ].join(".");
      },
    ],
    ["of version 1.0", "TokenInvalid", () => forgedToken(world, { ver: "1.0" })],
    ["that is an ID token", "TokenInvalid", () => forgedToken(world, { idtyp: undefined, nonce: "n" })],
    ["that is a logout token", "TokenInvalid", () => forgedToken(world, {}, { header: { typ: "logout+jwt" } })],
    ["that lives for ten years", "TokenInvalid", () => forgedToken(world, { exp: seconds(315_360_000) })],
    [
      "of a person in an application's role",
      "TokenInvalid",
      () => forgedToken(world, { idtyp: undefined, scp: "access_as_user" }),
    ],
    ["of an application in a person's role", "TokenInvalid", () => forgedToken(world, { roles: ["Support.Engineer"] })],
    ["that is no token", "TokenInvalid", async () => "a.b.c"],
    ["of 7,000 characters", "TokenInvalid", async () => "a".repeat(7000)],
  ];
  it.each(forged)("%s", async (_what, code, token) => {
    expectRefusal(await registerWith(`Bearer ${await token()}`), 401, code);
  });

  it.each([
    ["nothing after Bearer", "Bearer "],
    ["two tokens", "Bearer a.b.c d.e.f"],
    ["Basic", "Basic dXNlcjpwYXNz"],
    ["an empty Authorization", ""],
  ])("%s", async (_what, authorization) => {
    const answer = await registerWith(authorization);
    const code = authorization === "" ? String(answer.headers["x-ms-error-code"]) : "TokenInvalid";
    expectRefusal(answer, 401, code);
  });

  it("missing", async () => {
    expectRefusal(await registerWith(undefined), 401, "TokenMissing");
  });

  it("without a role of this service", async () => {
    for (const roles of [[], undefined, ["Other.Role"]]) {
      expectRefusal(await registerWith(`Bearer ${await forgedToken(world, { roles })}`), 403, "RoleMissing");
    }
  });

  it.each([
    ["R", "C"],
    ["R", "A"],
    ["C", "E"],
    ["E", "A"],
  ] as const)("with the two roles %s and %s", async (one, other) => {
    const { token } = await world.person([one, other]);
    expectRefusal(await registerWith(`Bearer ${token}`), 403, "ConflictingRoles");
  });

  it("beside a signature", async () => {
    const stamp = await world.registeredStamp();
    const { token } = await world.person("A");
    const answer = await stamp.call("GET", stamp.path, undefined, { headers: { authorization: `Bearer ${token}` } });
    expectRefusal(answer, 401, "TokenInvalid");
  });

  it("a signature where only a token may be", async () => {
    const stamp = await world.registeredStamp();
    expectRefusal(
      await unchanged(world, stamp, () => stamp.call("PUT", stamp.path, stamp.registration)),
      401,
      "TokenMissing",
    );
  });
});

it("a role of this service counts beside foreign ones", async () => {
  const token = await forgedToken(world, { roles: ["Registration.Manage", "Other.Role"] });
  const stamp = stampActor(world);
  const answer = await world.anonymous("PUT", stamp.path, stamp.registration, {
    headers: { authorization: `Bearer ${token}` },
  });
  expectStatus(answer, 201);
});

it("the scheme's case is ignored", async () => {
  const { token } = await world.person("A");
  expectStatus(
    await world.anonymous("GET", "/stamps", undefined, { headers: { authorization: `bearer ${token}` } }),
    200,
  );
});

/** The table of API.md: verb, path, who, and a body where one is taken. */
const stamp = "/stamps/6f2b1c0a-0000-4000-8000-000000000001";
const bundle = `${stamp}/bundles/6f2b1c0a-0000-4000-8000-000000000002`;
const supportCase = "/cases/2411000000000001";
const grant = `${supportCase}/accessGrants/6f2b1c0a-0000-4000-8000-000000000003`;
const consent = `${stamp}/consents/proactiveCollection`;
const table: readonly [verb: string, path: string, who: string, body?: unknown][] = [
  ["PUT", stamp, "R", registrationOf([])],
  ["GET", stamp, "R A S"],
  ["GET", "/stamps", "R A"],
  ["POST", `${stamp}:rotateKey`, "S", {}],
  ["POST", `${stamp}:disable`, "R", { reason: "lost" }],
  ["POST", `${stamp}:enable`, "R"],
  ["GET", `${stamp}/collectionOptions`, "S"],
  ["PUT", consent, "S", {}],
  ["GET", consent, "S A"],
  ["GET", `${consent}/decisions`, "S A"],
  ["PUT", bundle, "S", {}],
  ["GET", bundle, "S A"],
  ["GET", `${stamp}/bundles`, "S A"],
  ["POST", `${bundle}:renewUpload`, "S"],
  ["POST", `${bundle}:submit`, "S", {}],
  ["GET", `${bundle}/verification`, "S A"],
  ["POST", `${bundle}:cancel`, "S"],
  ["POST", `${bundle}:erase`, "S", {}],
  ["POST", `${bundle}:cancelErase`, "S", {}],
  ["GET", `${bundle}/deletionCertificate`, "S A"],
  ["GET", `${stamp}/accesses`, "S A"],
  ["PUT", supportCase, "C", {}],
  ["GET", supportCase, "C A E"],
  ["GET", "/cases", "C A E"],
  ["GET", `${supportCase}/bundles`, "C A E"],
  ["PUT", `${supportCase}${bundle}`, "C E"],
  ["DELETE", `${supportCase}${bundle}`, "C E"],
  ["PUT", grant, "E", {}],
  ["GET", `${supportCase}/accessGrants`, "C A E"],
  ["GET", grant, "C A E"],
  ["POST", `${grant}:issueUrl`, "E", {}],
  ["POST", `${grant}:revoke`, "C E"],
  ["GET", "/compliance/retention", "A"],
  ["GET", "/compliance/events", "A"],
  ["GET", "/compliance/accesses", "A"],
  ["POST", "/people/6f2b1c0a-0000-4000-8000-000000000004:forget", "R"],
  ["GET", "/compliance/checkpoints", "A"],
  ["GET", "/compliance/checkpoints/1/leaves", "A"],
  ["GET", "/compliance/checkpoints/1/proof", "A"],
];

describe.each(table)("%s %s", (verb, path, who, body) => {
  const allowed = who.split(" ");
  const roles: readonly Role[] = ["R", "C", "E", "A"];

  it.each(roles.filter((role) => !allowed.includes(role)))("is not for %s", async (role) => {
    const { call } = await world.person(role);
    expectRefusal(await call(verb, path, body), 403, "RoleMissing");
  });

  it("is not for nobody", async () => {
    expectRefusal(
      await world.anonymous(verb, path, body),
      401,
      allowed.includes("S") ? "SignatureMissing" : "TokenMissing",
    );
  });

  it.each(roles.filter((role) => allowed.includes(role)))("is for %s", async (role) => {
    const { call } = await world.person(role);
    const { status, text } = await call(verb, path, body);
    expect(status, text).not.toBe(401);
    expect(status, text).not.toBe(403);
    if (status === 404) expect(text).toContain("NotFound");
  });
});

describe("anyone", () => {
  it.each(["/health", "/openapi.json", "/.well-known/jwks.json", "/terms"])(
    "may read %s without api-version",
    async (path) => {
      const answer = expectStatus(await world.send({ method: "GET", path }), 200);
      expect(answer.headers["content-type"]).toMatch(/^application\/json/);
      expect(answer.headers["x-ms-request-id"]).toMatch(/\S/);
    },
  );

  it.each(["Bearer nonsense", "Basic x"])("is let in with a bad credential too: %s", async (authorization) => {
    expectStatus(await world.send({ method: "GET", path: "/health", headers: { authorization } }), 200);
  });
});

describe("what the caller may not know of is a 404", () => {
  it.each(["R", "A"] as const)("an unknown stamp to %s", async (role) => {
    const { call } = await world.person(role);
    expectRefusal(await call("GET", `/stamps/${randomUUID()}`), 404, "NotFound");
  });

  it("a stamp's bundle under another stamp", async () => {
    const [one, other] = [await world.registeredStamp(), await world.registeredStamp()];
    const { bundleId } = await one.createBundle();
    expectRefusal(await other.call("GET", other.bundlePath(bundleId)), 404, "NotFound");
    const { call } = await world.person("A");
    expectRefusal(await call("GET", other.bundlePath(bundleId)), 404, "NotFound");
  });

  it("disabling and enabling an unknown stamp", async () => {
    const { call } = await world.person("R");
    const path = `/stamps/${randomUUID()}`;
    expectRefusal(await call("POST", `${path}:disable`, { reason: "lost" }), 404, "NotFound");
    expectRefusal(await call("POST", `${path}:enable`), 404, "NotFound");
  });
});
