import { describe, expect, test } from "vitest";
import { utcTime } from "../../../shared/api/primitives.ts";
import { requireKeyAsOf } from "../../../shared/domain/custody.ts";
import { type StampKeyRecord, type StampRecord, stampRecord } from "../../../shared/domain/stamp.ts";
import { makeKey } from "../../support/system/signing.ts";

/** Which key may have signed a manifest, by the time at which it did. */

const at = (time: string) => utcTime.parse(`2026-11-${time}Z`);
const realNow = new Date(at("20T12:00:00"));

function stampWith(key: Partial<StampKeyRecord>): StampRecord {
  return stampRecord.parse({
    stampId: "7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10",
    displayName: "Contoso",
    stampVersion: "1.2501.1.47",
    deploymentId: "7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a11",
    cloud: "AzureCloud",
    geography: "westeurope",
    registrationResourceId: "/subscriptions/x",
    registrationGeneration: 1,
    state: "enabled",
    keys: [{ keyId: "k1", jwk: makeKey().jwk, addedBy: "registration", addedOn: at("05T00:00:00"), ...key }],
    createdOn: at("01T00:00:00"),
    updatedOn: at("10T00:00:00"),
    consentEpoch: 0,
    uploadEpoch: 0,
  });
}

function verdict(key: Partial<StampKeyRecord>, signedOn: string, named = "k1"): unknown {
  try {
    requireKeyAsOf(stampWith(key), named, at(signedOn), realNow);
    return "fine";
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

describe("a key as of the signing", () => {
  test.each<readonly [string, Partial<StampKeyRecord>, string, string]>([
    ["registered before", {}, "06T00:00:00", "fine"],
    ["registered since", {}, "04T23:58:59", "KeyUnknown"],
    ["registered within the skew of a slow clock", {}, "04T23:59:00", "fine"],
    ["retired since", { retiredOn: at("10T00:00:00"), retiredBy: "registration" }, "09T23:59:59.999", "fine"],
    [
      "retired at that moment",
      { retiredOn: at("10T00:00:00"), retiredBy: "registration" },
      "10T00:00:00",
      "KeyRetired",
    ],
    ["rotated away before", { retiredOn: at("10T00:00:00"), retiredBy: "rotation" }, "11T00:00:00", "KeyRetired"],
    ["not valid yet", { notBefore: at("08T00:00:00") }, "07T00:00:00", "KeyRetired"],
    ["valid no more", { notAfter: at("08T00:00:00") }, "08T00:00:00.001", "KeyRetired"],
    ["valid to the last moment", { notAfter: at("08T00:00:00") }, "08T00:00:00", "fine"],
    ["of a clock that is ahead by the skew", {}, "20T12:01:00", "fine"],
    ["of a clock that is further ahead", {}, "20T12:01:00.001", "SignatureNotYetValid"],
    ["from before times were kept: from the stamp's registration on", { addedOn: undefined }, "02T00:00:00", "fine"],
  ])("%s", (_what, key, signedOn, expected) => {
    expect(verdict(key, signedOn)).toBe(expected);
  });

  test("that the stamp never had is unknown", () => {
    expect(verdict({}, "06T00:00:00", "k2")).toBe("KeyUnknown");
  });
});
