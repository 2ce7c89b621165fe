import { describe, expect, it } from "vitest";
import { publicJwk } from "../../../shared/api/publicJwk.ts";
import { requireKeyAsOf } from "../../../shared/domain/custody.ts";
import { register, rotateKey } from "../../../shared/domain/registration.ts";
import { isRetired, type StampRecord, validUntil } from "../../../shared/domain/stamp.ts";
import { aConsent, aRegistration, aStamp, aStampId, at, on, publicKey, resourceId } from "./support/records.ts";

type Fields = Readonly<Record<string, unknown>>;

const now = at("2026-12-01T10:00:00.000Z");
/** The clock of retention may be moved; keys go by real time. */
const realNow = at("2026-11-25T08:00:00.000Z");

const key = (keyId: string, n: number, changes: Fields = {}) => ({ keyId, jwk: publicKey(n), ...changes });
const keyNamed = (stamp: StampRecord, keyId: string) => stamp.keys.find((each) => each.keyId === keyId);
const again = (standing: StampRecord | undefined, changes: Fields = {}) =>
  register(aStampId, standing, aRegistration(changes), now, realNow);
const standingWith = (...keys: Fields[]) => again(undefined, { keys }).stamp;

describe("the first registration", () => {
  it("is generation 1, enabled, with the keys it vouches for and no consent", () => {
    const { stamp, event } = again(undefined);
    expect(stamp).toMatchObject({
      registrationGeneration: 1,
      state: "enabled",
      createdOn: now.toISOString(),
      keys: [{ keyId: "k1", addedBy: "registration" }],
    });
    expect(stamp.consent).toBeUndefined();
    expect(event).toEqual({
      type: "stamp.registered",
      data: { stampId: aStampId, registrationGeneration: 1, keyIds: ["k1"] },
    });
  });
});

describe("registering again", () => {
  const standing: StampRecord = { ...standingWith(key("k1", 1)), ...aStamp({ consent: aConsent() }) };

  it("with the same facts changes nothing", () => {
    expect(again(standing)).toEqual({ stamp: standing, event: undefined });
  });

  it.each([
    ["displayName", "Contoso, Oslo"],
    ["stampVersion", "1.2502.1.1"],
    ["geography", "northeurope"],
  ])("with another %s keeps the generation and the consent", (name, value) => {
    const { stamp, event } = again(standing, { [name]: value });
    expect(stamp).toMatchObject({ [name]: value, registrationGeneration: 1, consentEpoch: 0 });
    expect(stamp.consent).toEqual(standing.consent);
    expect(event).toMatchObject({ type: "stamp.updated", data: { changed: [name] } });
  });

  it("with another resource id raises the generation and ends the consent", () => {
    const { stamp } = again(standing, { registrationResourceId: resourceId("reg-2") });
    expect(stamp).toMatchObject({ registrationGeneration: 2, consentEpoch: 1 });
    expect(stamp.consent).toBeUndefined();
  });

  it("with the resource id in other capitals is the same resource", () => {
    const { stamp } = again(standing, { registrationResourceId: resourceId("reg-1").toUpperCase() });
    expect(stamp.registrationGeneration).toBe(1);
    expect(stamp.consent).toEqual(standing.consent);
  });

  it("with a new key raises the generation and ends the consent", () => {
    const { stamp, event } = again(standing, { keys: [key("k1", 1), key("k2", 2)] });
    expect(stamp).toMatchObject({ registrationGeneration: 2, consentEpoch: 1 });
    expect(stamp.consent).toBeUndefined();
    expect(event?.data).toMatchObject({ keyIdsAdded: ["k2"], keyIdsRetired: [] });
  });

  it("leaves a disabled stamp disabled", () => {
    const disabled = { ...standing, state: "disabled", disabledReason: "lost" } as const;
    const { stamp } = again(disabled, { displayName: "Contoso, Oslo", keys: [key("k1", 1), key("k2", 2)] });
    expect(stamp).toMatchObject({ state: "disabled", disabledReason: "lost" });
  });

  it("with a known keyId and another key is a KeyConflict, also where that key is retired", () => {
    const conflict = expect.objectContaining({ code: "KeyConflict", target: "/keys" });
    expect(() => again(standing, { keys: [key("k1", 2)] })).toThrow(conflict);
    const retired = again(standing, { keys: [key("k2", 2)] }).stamp;
    expect(() => again(retired, { keys: [key("k1", 3)] })).toThrow(conflict);
  });

  it("takes another spelling of a known key as that key", () => {
    expect(again(standing, { keys: [key("k1", 1, { jwk: { ...publicKey(1), use: "sig" } })] }).event).toBeUndefined();
  });
});

describe("a key that registration leaves out", () => {
  const both = standingWith(key("k1", 1), key("k2", 2));

  it("stops at once, in real time, and does not raise the generation", () => {
    const { stamp, event } = again(both, { keys: [key("k2", 2)] });
    const k1 = keyNamed(stamp, "k1");
    expect(k1).toMatchObject({ retiredOn: realNow.toISOString(), retiredBy: "registration" });
    expect(k1 && isRetired(k1, realNow)).toBe(true);
    expect(stamp.registrationGeneration).toBe(1);
    expect(event?.data).toMatchObject({ changed: ["keys"], keyIdsAdded: [], keyIdsRetired: ["k1"] });
  });

  it("is retired once: leaving it out again changes nothing", () => {
    const { stamp } = again(both, { keys: [key("k2", 2)] });
    expect(again(stamp, { keys: [key("k2", 2)] }).event).toBeUndefined();
  });

  it("may come back, as a new key does: with a new generation", () => {
    const left = again(both, { keys: [key("k2", 2)] }).stamp;
    const { stamp, event } = again(left, { keys: [key("k1", 1), key("k2", 2)] });
    expect(keyNamed(stamp, "k1")).not.toHaveProperty("retiredOn");
    expect(stamp.registrationGeneration).toBe(2);
    expect(event?.data).toMatchObject({ keyIdsAdded: ["k1"] });
  });

  it("may be all of them: the stamp is left without", () => {
    const { stamp } = again(both, { keys: [] });
    expect(stamp.keys.every((each) => isRetired(each, realNow))).toBe(true);
  });
});

describe("validity that registration gives a key", () => {
  it("is changed without a new generation", () => {
    const { stamp, event } = again(standingWith(key("k1", 1)), {
      keys: [key("k1", 1, { notAfter: "2027-01-01T00:00:00Z" })],
    });
    expect(keyNamed(stamp, "k1")?.notAfter).toBe("2027-01-01T00:00:00Z");
    expect(stamp.registrationGeneration).toBe(1);
    expect(event?.data).toMatchObject({ changed: ["keys"] });
  });

  it("is taken away where it is left out", () => {
    const limited = standingWith(key("k1", 1, { notBefore: "2026-01-01T00:00:00Z" }));
    expect(keyNamed(again(limited, { keys: [key("k1", 1)] }).stamp, "k1")).not.toHaveProperty("notBefore");
  });
});

describe("rotation", () => {
  const standing = standingWith(key("k1", 1));
  const said = { keyId: "k2", jwk: publicJwk.parse(publicKey(2)) };
  const retireCurrentOn = on("2026-11-26T00:00:00Z");
  const rotate = (stamp: StampRecord, changes: Partial<Parameters<typeof rotateKey>[2]> = {}, signedWith = "k1") =>
    rotateKey(stamp, signedWith, { ...said, ...changes }, now, realNow);

  it("adds a key beside the one that signed, in the same generation", () => {
    const { stamp, event } = rotate(standing);
    expect(stamp.keys.map(({ keyId, addedBy }) => [keyId, addedBy])).toEqual([
      ["k1", "registration"],
      ["k2", "rotation"],
    ]);
    expect(stamp.registrationGeneration).toBe(1);
    expect(event).toEqual({
      type: "stamp.keyRotated",
      data: { stampId: aStampId, keyId: "k2", currentKeyId: "k1" },
    });
  });

  it("repeated changes nothing", () => {
    const once = rotate(standing, { retireCurrentOn }).stamp;
    expect(rotate(once, { retireCurrentOn })).toEqual({ stamp: once, event: undefined });
  });

  it("retires the key that signed when it says, by real time", () => {
    const { stamp } = rotate(standing, { retireCurrentOn });
    const k1 = keyNamed(stamp, "k1");
    expect(k1 && [isRetired(k1, at("2026-11-25T23:59:59.999Z")), isRetired(k1, at("2026-11-26T00:00:00Z"))]).toEqual([
      false,
      true,
    ]);
  });

  it("moves a retirement forward only", () => {
    const once = rotate(standing, { retireCurrentOn }).stamp;
    const sooner = on("2026-11-25T12:00:00Z");
    expect(keyNamed(rotate(once, { retireCurrentOn: sooner }).stamp, "k1")?.retiredOn).toBe(sooner);
    expect(rotate(once, { retireCurrentOn: on("2026-12-25T00:00:00Z") }).event).toBeUndefined();
  });

  it.each([
    ["a keyId of another key", { jwk: publicJwk.parse(publicKey(3)) }, "k1"],
    ["the signing key itself", { keyId: "k1", jwk: publicJwk.parse(publicKey(1)) }, "k1"],
  ])("with %s is a KeyConflict", (_, changes, signedWith) => {
    const once = rotate(standing).stamp;
    expect(() => rotate(once, changes, signedWith)).toThrow(expect.objectContaining({ code: "KeyConflict" }));
  });

  it("with a key that was retired is a KeyConflict", () => {
    const once = rotate(standing, { retireCurrentOn: on("2026-11-25T07:00:00Z") }).stamp;
    const back = { keyId: "k1", jwk: publicJwk.parse(publicKey(1)) };
    expect(() => rotate(once, back, "k2")).toThrow(expect.objectContaining({ code: "KeyConflict" }));
  });

  it("survives registration: an added key stays without being vouched for, a retired one stays retired", () => {
    const rotated = rotate(standing, { retireCurrentOn: on("2026-11-25T07:00:00Z") }).stamp;
    const { stamp, event } = again(rotated, { keys: [key("k1", 1)] });
    expect(keyNamed(stamp, "k2")).not.toHaveProperty("retiredOn");
    expect(keyNamed(stamp, "k1")).toMatchObject({ retiredBy: "rotation", retiredOn: "2026-11-25T07:00:00Z" });
    expect(event).toBeUndefined();
  });

  it("a key that rotation added and registration then vouches for is registration's from there on", () => {
    const rotated = rotate(standing).stamp;
    const vouched = again(rotated, { keys: [key("k1", 1), key("k2", 2)] }).stamp;
    expect(keyNamed(vouched, "k2")?.addedBy).toBe("registration");
    expect(vouched.registrationGeneration, "no new key").toBe(1);
    const left = again(vouched, { keys: [key("k1", 1)] }).stamp;
    expect(keyNamed(left, "k2")?.retiredBy).toBe("registration");
  });
});

describe("a key that another key introduced", () => {
  const introduce = (stamp: StampRecord, keyId: string, n: number, signedWith: string, retire = false) =>
    rotateKey(
      stamp,
      signedWith,
      { keyId, jwk: publicJwk.parse(publicKey(n)), ...(retire ? { retireCurrentOn: on("2026-11-25T07:00:00Z") } : {}) },
      now,
      realNow,
    ).stamp;
  const retired = (stamp: StampRecord) =>
    stamp.keys.filter((each) => isRetired(each, realNow)).map(({ keyId }) => keyId);

  it("stops with it, and so does what that key introduced: a thief's key does not survive a registration anew", () => {
    const stolen = introduce(introduce(standingWith(key("k1", 1)), "thief1", 2, "k1"), "thief2", 3, "thief1");
    const { stamp, event } = again(stolen, { keys: [key("fresh", 4)] });
    expect(retired(stamp)).toEqual(["k1", "thief1", "thief2"]);
    expect(event?.data).toMatchObject({ keyIdsAdded: ["fresh"], keyIdsRetired: ["k1", "thief1", "thief2"] });
    expect(stamp.registrationGeneration).toBe(2);
  });

  it("stops with it also where the thief had it retired before", () => {
    const stolen = introduce(standingWith(key("k1", 1)), "thief", 2, "k1", true);
    expect(retired(again(stolen, { keys: [key("fresh", 4)] }).stamp)).toEqual(["k1", "thief"]);
  });

  it("stays where registration vouches for it, with what it introduced itself", () => {
    const rotated = introduce(introduce(standingWith(key("k1", 1)), "k2", 2, "k1", true), "k3", 3, "k2");
    const { stamp } = again(rotated, { keys: [key("k2", 2)] });
    expect(retired(stamp)).toEqual(["k1"]);
  });

  it("stays where another key is left out", () => {
    const rotated = introduce(standingWith(key("k1", 1), key("other", 5)), "k2", 2, "k1");
    expect(retired(again(rotated, { keys: [key("k1", 1)] }).stamp)).toEqual(["other"]);
  });

  it("by nobody knows which, as in rows of old, stops with any that is left out", () => {
    const rotated = introduce(standingWith(key("k1", 1), key("other", 5)), "k2", 2, "k1");
    const keys = rotated.keys.map(({ introducedBy: _unknown, ...each }) => each);
    expect(retired(again({ ...rotated, keys }, { keys: [key("k1", 1)] }).stamp)).toEqual(["other", "k2"]);
    expect(retired(again({ ...rotated, keys }, { keys: [key("k1", 1), key("other", 5)] }).stamp)).toEqual([]);
  });
});

describe("after a stamp was compromised", () => {
  const compromised = (stamp: StampRecord) =>
    ({ ...stamp, state: "disabled", disabledReason: "compromised", keysInDoubt: true }) as const;
  const rotated = rotateKey(
    standingWith(key("k1", 1), key("other", 5)),
    "k1",
    { keyId: "k2", jwk: publicJwk.parse(publicKey(2)), retireCurrentOn: on("2026-11-25T07:00:00Z") },
    now,
    realNow,
  ).stamp;

  it("only the keys of the next registration are usable, whatever introduced or retired them", () => {
    const { stamp, event } = again(compromised(rotated), { keys: [key("k1", 1)] });
    expect(stamp.keys.map((each) => [each.keyId, isRetired(each, realNow)])).toEqual([
      ["k1", false],
      ["other", true],
      ["k2", true],
    ]);
    expect(stamp.keysInDoubt).toBe(false);
    expect(event).toMatchObject({ type: "stamp.updated", data: { keyIdsRetired: ["other", "k2"] } });
  });

  it("the same registration again vouches for its keys anew, once", () => {
    const standing = compromised(standingWith(key("k1", 1)));
    const { stamp, event } = again(standing);
    expect(event).toMatchObject({ type: "stamp.updated", data: { changed: ["keys"] } });
    expect(again(stamp).event).toBeUndefined();
  });

  it("a registration without keys vouches for none", () => {
    const { stamp } = again(compromised(standingWith(key("k1", 1))), { keys: [] });
    expect(stamp.keysInDoubt).toBe(true);
    expect(again(stamp, { keys: [] }).event).toBeUndefined();
  });

  it("a key in doubt signed nothing, not even before: a thief writes any time into a manifest", () => {
    const { stamp } = again(compromised(rotated), { keys: [key("k1", 1)] });
    const before = on("2026-11-25T08:00:00Z");
    expect(() => requireKeyAsOf(stamp, "k2", before, realNow)).toThrow(expect.objectContaining({ code: "KeyRetired" }));
  });
});

describe("how many keys a stamp may have over its life", () => {
  it("is bounded, however they come", () => {
    const keys = Array.from({ length: 500 }, (_, n) => ({ ...aStamp().keys[0], keyId: `old-${n}` }));
    const full = aStamp({ keys });
    const said = { keyId: "one-more", jwk: publicJwk.parse(publicKey(2)) };
    expect(() => rotateKey(full, "old-0", said, now, realNow)).toThrow(
      expect.objectContaining({ code: "KeyConflict" }),
    );
    expect(() => again(full, { keys: [key("one-more", 2)] })).toThrow(expect.objectContaining({ code: "KeyConflict" }));
  });
});

describe("until when a key's owner may use it", () => {
  const [first] = aStamp().keys;
  it.each([
    [{}, undefined],
    [{ notAfter: "2027-01-01T00:00:00Z" }, "2027-01-01T00:00:00Z"],
    [{ notAfter: "2027-01-01T00:00:00Z", retiredOn: "2026-12-01T00:00:00Z" }, "2026-12-01T00:00:00Z"],
    [{ notAfter: "2026-12-01T00:00:00Z", retiredOn: "2027-01-01T00:00:00Z" }, "2026-12-01T00:00:00Z"],
  ])("%o is %s", (changes, expected) => {
    const [limited] = aStamp({ keys: [{ ...first, ...changes }] }).keys;
    expect(limited && validUntil(limited)).toBe(expected);
  });
});
