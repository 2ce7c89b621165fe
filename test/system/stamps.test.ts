import { randomUUID } from "node:crypto";
import { CompactSign } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectRefusal, expectStatus } from "../support/system/expectations.ts";
import type { Answer } from "../support/system/http.ts";
import { bundleShape, type Stamp, stampPage, stampShape } from "../support/system/shapes.ts";
import { makeKey, type StampKey } from "../support/system/signing.ts";
import { registrationOf, resourceId, type StampActor, stampActor } from "../support/system/stamp.ts";
import { putBlob } from "../support/system/storage.ts";
import { compact } from "../support/system/tokens.ts";
import { unchanged } from "../support/system/unchanged.ts";
import { openWorld, type Person, readAll, type World } from "../support/system/world.ts";
import { makeZip } from "../support/system/zip.ts";
import { until } from "../support/until.ts";

/** API.md, the rows of `stamps`: registration and its generations, keys, disabling, the flowchart. */

let world: World;
let registrar: Person;
let auditor: Person;
beforeAll(async () => {
  world = await openWorld();
  registrar = await world.person("R");
  auditor = await world.person("A");
});
afterAll(() => world.close());

const named = ({ keyId, jwk }: StampKey) => ({ keyId, jwk });
const parsed = (answer: Answer, status = 200): Stamp => stampShape.parse(expectStatus(answer, status).json);
const eventTypes = async ({ partition }: StampActor) => (await world.events(partition)).map(({ type }) => type);
const consentState = async (stamp: StampActor): Promise<unknown> => {
  const answer = await stamp.call("GET", `${stamp.path}/consents/proactiveCollection`);
  return expectStatus(answer, 200).json;
};

describe("registering", () => {
  it("creates the stamp, and shows it to all who may see it", async () => {
    const stamp = stampActor(world);
    const created = parsed(await stamp.register(), 201);
    const { keys, ...facts } = stamp.registration;
    expect(created).toMatchObject({ stampId: stamp.stampId, ...facts, registrationGeneration: 1, state: "enabled" });
    expect(keys).toEqual([named(stamp.key)]);
    expect(created.keys).toMatchObject([{ ...named(stamp.key), state: "active", addedBy: "registration" }]);
    expect(created).not.toHaveProperty("disabledReason");
    for (const { call } of [registrar, auditor, stamp]) expect(parsed(await call("GET", stamp.path))).toEqual(created);
    expect(await world.events(stamp.partition)).toMatchObject([
      { seq: 1, type: "stamp.registered", data: { stampId: stamp.stampId } },
    ]);
  });

  it("shows the stamp in the list", async () => {
    const stamp = await world.registeredStamp();
    for (const { call } of [registrar, auditor]) {
      const { value } = stampPage.parse({ value: await readAll(call, "/stamps") });
      expect(value).toContainEqual(await stamp.view());
    }
  });

  it("again with the same body changes nothing", async () => {
    const stamp = await world.registeredStamp();
    const before = await stamp.view();
    expect(parsed(await unchanged(world, stamp, () => stamp.register()))).toEqual(before);
  });

  it("with another name, version, geography, cloud or deployment keeps the generation and the consent", async () => {
    const stamp = await world.registeredStamp();
    await stamp.enableConsent();
    const changes = {
      displayName: "Another name",
      stampVersion: "1.2502.0.1",
      geography: "northeurope",
      cloud: "AzureUSGovernment",
      deploymentId: randomUUID(),
    };
    expect(parsed(await stamp.register(changes))).toMatchObject({ ...changes, registrationGeneration: 1 });
    expect(await consentState(stamp)).toMatchObject({ state: "enabled" });
    expect(await eventTypes(stamp)).toEqual(["stamp.registered", "consent.decided", "stamp.updated"]);
  });

  const newGenerations: readonly [string, () => Readonly<Record<string, unknown>>, StampKey?][] = [
    ["another registrationResourceId", () => ({ registrationResourceId: resourceId() })],
    ["a new key", () => ({ extraKey: true })],
  ];
  it.each(newGenerations)("with %s begins a new generation, without consent", async (what, changes) => {
    const stamp = await world.registeredStamp();
    await stamp.enableConsent();
    const proactive = await stamp.createBundle({ mode: "proactive" });
    const sentNow = await stamp.createBundle();
    const keys = [stamp.key, makeKey()].map(named);
    const updated = await stamp.register(what === "a new key" ? { keys } : changes());
    expect(parsed(updated).registrationGeneration).toBe(2);
    expect(await consentState(stamp)).toMatchObject({ state: "notGiven" });
    expect((await stamp.bundle(proactive.bundleId)).state).toBe("canceled");
    expect((await stamp.bundle(sentNow.bundleId)).state).toBe("created");
    await stamp.enableConsent();
    expect(await consentState(stamp)).toMatchObject({ state: "enabled", registrationGeneration: 2 });
  });

  it("without a key begins no new generation, and with that key again nothing of the old one comes back by itself", async () => {
    const other = makeKey();
    const stamp = await world.registeredStamp();
    expect(parsed(await stamp.register({ keys: [stamp.key, other].map(named) })).registrationGeneration).toBe(2);
    const without = parsed(await stamp.register({ keys: [named(stamp.key)] }));
    expect(without.registrationGeneration).toBe(2);
    expect(without.keys.find(({ keyId }) => keyId === other.keyId)?.state ?? "retired").toBe("retired");
    expectRefusal(await stamp.call("GET", stamp.path, undefined, { key: other }), 401, "KeyRetired");
  });

  it("another key under a known keyId is a conflict, and nothing changes", async () => {
    const stamp = await world.registeredStamp();
    const other = makeKey("EC", stamp.key.keyId);
    const answer = await unchanged(world, stamp, () => stamp.register({ keys: [named(other)] }));
    expectRefusal(answer, 409, "KeyConflict");
    expectStatus(await stamp.call("GET", stamp.path), 200);
  });

  it("two at once end in one registration", async () => {
    const stamp = stampActor(world);
    const answers = await Promise.all(Array.from({ length: 8 }, () => stamp.register()));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array.from({ length: 7 }, () => 200), 201]);
    expect(await eventTypes(stamp)).toEqual(["stamp.registered"]);
  });
});

describe("a registration is refused, and nothing changes:", () => {
  const ec = makeKey();
  const { jwk } = ec;
  const withJwk = (other: unknown) => ({ keys: [{ keyId: "k1", jwk: other }] });
  const bad: readonly [what: string, changes: Readonly<Record<string, unknown>>, target: RegExp][] = [
    ["a version of another form", { stampVersion: "1.2008" }, /^\/stampVersion$/],
    ["a version of another product", { stampVersion: "2.2008.1.1" }, /^\/stampVersion$/],
    ["an unknown cloud", { cloud: "AzureMoon" }, /^\/cloud$/],
    ["a deploymentId that is no GUID", { deploymentId: "one" }, /^\/deploymentId$/],
    ["another kind of resource", { registrationResourceId: "/subscriptions/x" }, /^\/registrationResourceId$/],
    ["a keyId twice", { keys: [named(ec), { keyId: ec.keyId, jwk: makeKey().jwk }] }, /^\/keys/],
    ["a private key", withJwk({ ...jwk, d: jwk.x }), /^\/keys\/0\/jwk/],
    ["a shared secret", withJwk({ kty: "oct", k: jwk.x }), /^\/keys\/0\/jwk/],
    ["an RSA key", withJwk({ kty: "RSA", n: jwk.x, e: "AQAB" }), /^\/keys\/0\/jwk/],
    ["a P-384 key", withJwk({ ...jwk, crv: "P-384" }), /^\/keys\/0\/jwk/],
    ["an X25519 key", withJwk({ kty: "OKP", crv: "X25519", x: jwk.x }), /^\/keys\/0\/jwk/],
    ["a point that is on no curve", withJwk({ ...jwk, y: jwk.x }), /^\/keys\/0\/jwk/],
    ["a point without y", withJwk({ kty: "EC", crv: "P-256", x: jwk.x }), /^\/keys\/0\/jwk/],
    [
      "an Ed25519 key of small order",
      withJwk({ kty: "OKP", crv: "Ed25519", x: Buffer.alloc(32).toString("base64url") }),
      /^\/keys\/0\/jwk/,
    ],
    [
      "a time without Z",
      { keys: [{ ...named(ec), notBefore: "2026-11-01T00:00:00+01:00" }] },
      /^\/keys\/0\/notBefore$/,
    ],
    [
      "a day that does not exist",
      { keys: [{ ...named(ec), notAfter: "2026-02-30T00:00:00Z" }] },
      /^\/keys\/0\/notAfter$/,
    ],
    [
      "notAfter before notBefore",
      { keys: [{ ...named(ec), notBefore: "2027-01-02T00:00:00Z", notAfter: "2027-01-01T00:00:00Z" }] },
      /^\/keys\/0/,
    ],
  ];
  it.each(bad)("%s", async (_what, changes, target) => {
    const stamp = stampActor(world);
    const answer = await unchanged(world, stamp, () => stamp.register(changes));
    expect(expectRefusal(answer, 400, "InvalidBody").target).toMatch(target);
  });
});

type Proof = { readonly by?: StampKey; readonly claims?: Readonly<Record<string, unknown>>; readonly alg?: string };
const proofOf = (stamp: StampActor, next: StampKey, { by = next, claims, alg }: Proof = {}) =>
  new CompactSign(Buffer.from(JSON.stringify(claims ?? { stampId: stamp.stampId, keyId: next.keyId })))
    .setProtectedHeader({ alg: alg ?? (by.kind === "EC" ? "ES256" : "EdDSA") })
    .sign(by.privateKey);

const rotate = async (stamp: StampActor, next: StampKey, more: Readonly<Record<string, unknown>> = {}, by?: StampKey) =>
  stamp.call(
    "POST",
    `${stamp.path}:rotateKey`,
    { ...named(next), proof: await proofOf(stamp, next), ...more },
    by === undefined ? {} : { key: by },
  );

describe("rotating a key", () => {
  it.each(["EC", "OKP"] as const)("adds an %s key beside the one that signed", async (kind) => {
    const stamp = await world.registeredStamp();
    await stamp.enableConsent();
    const next = makeKey(kind);
    const rotated = parsed(await rotate(stamp, next));
    expect(rotated.registrationGeneration).toBe(1);
    expect(rotated.keys).toMatchObject([
      { keyId: stamp.key.keyId, state: "active", addedBy: "registration" },
      { ...named(next), state: "active", addedBy: "rotation" },
    ]);
    for (const key of [stamp.key, next]) expectStatus(await stamp.call("GET", stamp.path, undefined, { key }), 200);
    expect(await consentState(stamp)).toMatchObject({ state: "enabled" });
    expect((await world.events(stamp.partition)).at(-1)).toMatchObject({
      type: "stamp.keyRotated",
      data: { stampId: stamp.stampId, keyId: next.keyId },
    });
  });

  it("retires the one that signed at once, where that time has passed", async () => {
    const stamp = await world.registeredStamp();
    const next = makeKey();
    const rotated = parsed(await rotate(stamp, next, { retireCurrentOn: new Date(Date.now() - 1000).toISOString() }));
    expect(rotated.keys.map(({ state }) => state)).toEqual(["retired", "active"]);
    expectRefusal(await unchanged(world, stamp, () => stamp.call("GET", stamp.path)), 401, "KeyRetired");
    expectStatus(await stamp.call("GET", stamp.path, undefined, { key: next }), 200);
  });

  it("retires it later, where that time is to come", async () => {
    const stamp = await world.registeredStamp();
    const retiring = async (inMilliseconds: number) => {
      const on = Date.now() + inMilliseconds;
      expectStatus(await rotate(stamp, makeKey(), { retireCurrentOn: new Date(on).toISOString() }), 200);
      return on;
    };
    await retiring(3_600_000);
    expectStatus(await stamp.call("GET", stamp.path), 200);
    const soon = await retiring(1_500);
    const answer = await until("the old key is retired", async () => {
      const tried = await stamp.call("GET", stamp.path);
      return tried.status === 401 && tried;
    });
    expectRefusal(answer, 401, "KeyRetired");
    expect(Date.now()).toBeGreaterThanOrEqual(soon);
  });

  it("again changes nothing", async () => {
    const stamp = await world.registeredStamp();
    const next = makeKey();
    const first = parsed(await rotate(stamp, next));
    expect(parsed(await unchanged(world, stamp, () => rotate(stamp, next)))).toEqual(first);
  });

  it("outlives a registration that does not know the key", async () => {
    const stamp = await world.registeredStamp();
    const next = makeKey();
    expectStatus(await rotate(stamp, next), 200);
    const after = parsed(await stamp.register({ displayName: "Another" }));
    expect(after.registrationGeneration).toBe(1);
    expect(after.keys.find(({ keyId }) => keyId === next.keyId)?.state).toBe("active");
    expectStatus(await stamp.call("GET", stamp.path, undefined, { key: next }), 200);
  });

  it("by a key that was itself rotated in", async () => {
    const stamp = await world.registeredStamp();
    const [second, third] = [makeKey(), makeKey("OKP")];
    expectStatus(await rotate(stamp, second), 200);
    expectStatus(await rotate(stamp, third, {}, second), 200);
    expectStatus(await stamp.call("GET", stamp.path, undefined, { key: third }), 200);
  });

  it("to a known keyId with another key is a conflict", async () => {
    const stamp = await world.registeredStamp();
    const other = makeKey("EC", stamp.key.keyId);
    expectRefusal(await unchanged(world, stamp, () => rotate(stamp, other)), 409, "KeyConflict");
  });

  const next = makeKey();
  const proofs: readonly [string, (stamp: StampActor) => Promise<unknown>][] = [
    ["by the old key", (stamp) => proofOf(stamp, next, { by: stamp.key })],
    ["by some other key", (stamp) => proofOf(stamp, next, { by: makeKey() })],
    ["for another stamp", (stamp) => proofOf(stamp, next, { claims: { stampId: randomUUID(), keyId: next.keyId } })],
    ["for another keyId", (stamp) => proofOf(stamp, next, { claims: { stampId: stamp.stampId, keyId: "other" } })],
    ["without a keyId", (stamp) => proofOf(stamp, next, { claims: { stampId: stamp.stampId } })],
    ["of alg none", async ({ stampId }) => compact({ alg: "none" }, { stampId, keyId: next.keyId })],
    ["that is no JWS", async () => "nonsense"],
    ["that is no string", async () => 7],
    ["that is empty", async () => ""],
  ];
  it.each(proofs)("with a proof %s is refused, and nothing changes", async (_what, proof) => {
    const stamp = await world.registeredStamp();
    const body = { ...named(next), proof: await proof(stamp) };
    const answer = await unchanged(world, stamp, () => stamp.call("POST", `${stamp.path}:rotateKey`, body));
    expect(expectRefusal(answer, 400, "InvalidBody").target).toBe("/proof");
  });

  it("with a private key in the request is refused", async () => {
    const stamp = await world.registeredStamp();
    const secret = { ...next.jwk, d: next.jwk.x };
    const body = { keyId: next.keyId, jwk: secret, proof: await proofOf(stamp, next) };
    const answer = await unchanged(world, stamp, () => stamp.call("POST", `${stamp.path}:rotateKey`, body));
    expect(expectRefusal(answer, 400, "InvalidBody").target).toMatch(/^\/jwk/);
  });
});

describe("disabling", () => {
  const disable = (stamp: StampActor, reason: string) => registrar.call("POST", `${stamp.path}:disable`, { reason });
  const enable = (stamp: StampActor) => registrar.call("POST", `${stamp.path}:enable`);

  const writes: readonly [string, (stamp: StampActor, bundleId: string) => Promise<Answer>][] = [
    [
      "creating a bundle",
      async (stamp) => stamp.call("PUT", stamp.bundlePath(randomUUID()), await stamp.bundleRequest()),
    ],
    ["renewing an upload", (stamp, id) => stamp.call("POST", `${stamp.bundlePath(id)}:renewUpload`)],
    ["submitting", (stamp, id) => stamp.submit(id, Buffer.alloc(4096))],
    ["canceling", (stamp, id) => stamp.call("POST", `${stamp.bundlePath(id)}:cancel`)],
    ["erasing", (stamp, id) => stamp.call("POST", `${stamp.bundlePath(id)}:erase`, { decidedBy: "x", reason: "y" })],
    [
      "deciding",
      async (stamp) =>
        stamp.call("PUT", `${stamp.path}/consents/proactiveCollection`, {
          state: "enabled",
          decidedBy: "x",
          termsVersion: await world.currentTerms(),
        }),
    ],
    [
      "rotating a key",
      async (stamp) => {
        const next = makeKey();
        return stamp.call("POST", `${stamp.path}:rotateKey`, { ...named(next), proof: await proofOf(stamp, next) });
      },
    ],
  ];
  it.each(["lost", "compromised", "decommissioned"])("as %s stops every write at once", async (reason) => {
    const stamp = await world.registeredStamp();
    const { bundleId } = await stamp.createBundle();
    expect(parsed(await disable(stamp, reason))).toMatchObject({ state: "disabled", disabledReason: reason });
    for (const [, write] of writes) {
      const answer = await unchanged(world, stamp, () => write(stamp, bundleId));
      expectRefusal(answer, 403, "StampDisabled");
    }
  });

  it.each([
    ["lost", 200],
    ["decommissioned", 200],
    ["compromised", 403],
  ] as const)("as %s answers reads with %i", async (reason, status) => {
    const stamp = await world.registeredStamp();
    const { bundleId } = await stamp.createBundle();
    expectStatus(await disable(stamp, reason), 200);
    for (const path of [
      stamp.path,
      `${stamp.path}/bundles`,
      stamp.bundlePath(bundleId),
      `${stamp.path}/accesses`,
      `${stamp.path}/consents/proactiveCollection`,
      `${stamp.path}/collectionOptions`,
    ]) {
      const answer = await stamp.call("GET", path);
      if (status === 403) expectRefusal(answer, 403, "StampDisabled");
      else expectStatus(answer, 200);
    }
    expectStatus(await auditor.call("GET", stamp.bundlePath(bundleId)), 200);
  });

  it("cancels created uploads, whose URLs write no more, and lets submitted ones finish", async () => {
    const stamp = await world.registeredStamp();
    const created = await stamp.createBundle();
    const { upload } = created;
    if (upload === undefined) throw new Error("no upload");
    const submitted = await stamp.submittedBundle();
    expectStatus(await disable(stamp, "lost"), 200);
    expect((await stamp.bundle(created.bundleId)).state).toBe("canceled");
    expect((await putBlob(upload, await makeZip())).status).toBeGreaterThanOrEqual(400);
    expect(await stamp.waitFor(submitted.bundleId, "accepted")).toBeDefined();

    expect(parsed(await enable(stamp))).toMatchObject({ state: "enabled" });
    expect((await stamp.bundle(created.bundleId)).state).toBe("canceled");
    expect(await stamp.view()).not.toHaveProperty("disabledReason");
    expect((await stamp.createBundle()).state).toBe("created");
  });

  it("a second time replaces the reason", async () => {
    const stamp = await world.registeredStamp();
    expectStatus(await disable(stamp, "compromised"), 200);
    expect(parsed(await disable(stamp, "lost"))).toMatchObject({ state: "disabled", disabledReason: "lost" });
    expectStatus(await stamp.call("GET", stamp.path), 200);
    expect(await eventTypes(stamp)).toEqual(["stamp.registered", "stamp.disabled", "stamp.disabled"]);
  });

  it("and enabling are safe to repeat", async () => {
    const stamp = await world.registeredStamp();
    expectStatus(await unchanged(world, stamp, () => enable(stamp)), 200);
    expectStatus(await disable(stamp, "lost"), 200);
    expectStatus(await unchanged(world, stamp, () => disable(stamp, "lost")), 200);
    expectStatus(await enable(stamp), 200);
    expectStatus(await unchanged(world, stamp, () => enable(stamp)), 200);
  });

  it.each([{}, { reason: "tired" }, { reason: null }, { reason: "lost", note: "x" }])(
    "with %j is refused",
    async (body) => {
      const stamp = await world.registeredStamp();
      const answer = await unchanged(world, stamp, () => registrar.call("POST", `${stamp.path}:disable`, body));
      expectRefusal(answer, 400, "InvalidBody");
    },
  );

  it("as compromised is taken back only once registration vouches for keys anew, and a thief's key is none of them", async () => {
    const stamp = await world.registeredStamp();
    const thiefs = makeKey();
    expectStatus(await rotate(stamp, thiefs), 200);
    expectStatus(await disable(stamp, "compromised"), 200);
    expectRefusal(await unchanged(world, stamp, () => enable(stamp)), 409, "InvalidState");
    const fresh = makeKey();
    expectStatus(await stamp.register({ keys: [named(fresh)] }), 200);
    expectStatus(await enable(stamp), 200);
    expectStatus(await stamp.call("GET", stamp.path, undefined, { key: fresh }), 200);
    for (const key of [stamp.key, thiefs]) {
      expectRefusal(await stamp.call("GET", stamp.path, undefined, { key }), 401, "KeyRetired");
    }
  });

  it("as compromised stays in doubt when the reason is replaced, until the same registration is sent again", async () => {
    const stamp = await world.registeredStamp();
    expectStatus(await disable(stamp, "compromised"), 200);
    expectStatus(await disable(stamp, "lost"), 200);
    expectRefusal(await enable(stamp), 409, "InvalidState");
    expectStatus(await stamp.register({}), 200);
    expectStatus(await enable(stamp), 200);
    expectStatus(await stamp.call("GET", stamp.path), 200);
  });

  it("outlives a registration sent again", async () => {
    const stamp = await world.registeredStamp();
    expectStatus(await disable(stamp, "compromised"), 200);
    expect(parsed(await stamp.register({ displayName: "Back again" })).state).toBe("disabled");
    expectRefusal(await stamp.call("GET", stamp.path), 403, "StampDisabled");
  });
});

describe("collectionOptions, the flowchart", () => {
  const options = async (stamp: StampActor) =>
    expectStatus(await stamp.call("GET", `${stamp.path}/collectionOptions`), 200).json;
  const reasons = expect.arrayContaining([expect.stringMatching(/\S/)]);

  it("for a registered stamp recommends proactive collection", async () => {
    const stamp = await world.registeredStamp();
    const shape = { available: expect.any(Boolean), recommended: expect.any(Boolean), reasons };
    expect(await options(stamp)).toMatchObject({
      proactive: { ...shape, recommended: true },
      sendNow: { ...shape, available: true },
      saveLocally: { ...shape, recommended: false },
      privilegedEndpoint: { ...shape, recommended: false },
    });
    await stamp.enableConsent();
    expect(await options(stamp)).toMatchObject({ proactive: { available: true, recommended: true } });
  });

  it("for a disabled one recommends neither", async () => {
    const stamp = await world.registeredStamp();
    await registrar.call("POST", `${stamp.path}:disable`, { reason: "lost" });
    expect(await options(stamp)).toMatchObject({ proactive: { available: false }, sendNow: { available: false } });
  });
});

it("a stamp that nobody was given access to has no accesses", async () => {
  const stamp = await world.registeredStamp();
  for (const { call } of [stamp, auditor]) {
    expect(expectStatus(await call("GET", `${stamp.path}/accesses`), 200).json).toEqual({ value: [] });
  }
});

it("what an auditor reads of a stamp is there after a restart", async () => {
  const stamp = await world.registeredStamp();
  await stamp.enableConsent();
  const { bundleId } = await stamp.createBundle();
  const read = async () => [
    (await auditor.call("GET", stamp.path)).json,
    bundleShape.parse((await auditor.call("GET", stamp.bundlePath(bundleId))).json),
    await world.events(stamp.partition),
  ];
  const before = await read();
  await world.restart();
  expect(await read()).toEqual(before);
});

it("registrations refuse what is no object of theirs", async () => {
  const stamp = stampActor(world);
  const answer = await registrar.call("PUT", stamp.path, { ...registrationOf([stamp.key]), stampId: stamp.stampId });
  expect(expectRefusal(answer, 400, "InvalidBody").target).toBe("/stampId");
});
