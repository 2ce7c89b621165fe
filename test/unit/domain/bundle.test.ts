import { describe, expect, it } from "vitest";
import { bundleFacts, ended, endedBy, transition } from "../../../shared/domain/bundle.ts";
import { aBundle, aBundleId, aStamp, aStampId, at, createdOn } from "./support/records.ts";

const now = at("2026-11-23T11:00:00.000Z");
const lastInstant = at("2026-11-25T09:59:59.999Z");
const after48Hours = at("2026-11-25T10:00:00.000Z");

describe("what ends an upload that is still created", () => {
  it("is nothing, for 48 hours", () => {
    expect(endedBy(aBundle(), aStamp(), now)).toBeUndefined();
    expect(endedBy(aBundle(), aStamp(), lastInstant)).toBeUndefined();
    expect(endedBy(aBundle(), aStamp(), after48Hours)).toBe("expired");
  });

  it("is the disabling of its stamp, whatever its mode", () => {
    expect(endedBy(aBundle(), aStamp({ uploadEpoch: 1 }), now)).toBe("canceled");
    expect(endedBy(aBundle({ mode: "proactive" }), aStamp({ uploadEpoch: 1 }), now)).toBe("canceled");
  });

  it("stays ended when the stamp is enabled again: the epoch is not lowered", () => {
    expect(endedBy(aBundle(), aStamp({ uploadEpoch: 1, state: "enabled" }), now)).toBe("canceled");
    expect(endedBy(aBundle({ uploadEpoch: 1 }), aStamp({ uploadEpoch: 1 }), now)).toBeUndefined();
  });

  it("is the end of the consent, of a proactive bundle alone", () => {
    expect(endedBy(aBundle({ mode: "proactive" }), aStamp({ consentEpoch: 1 }), now)).toBe("canceled");
    expect(endedBy(aBundle({ mode: "sendNow" }), aStamp({ consentEpoch: 1 }), now)).toBeUndefined();
    expect(endedBy(aBundle({ mode: "savedLocally" }), aStamp({ consentEpoch: 1 }), now)).toBeUndefined();
  });

  it("is its time, once that is over, whatever is decided afterwards: what was seen as expired stays so", () => {
    expect(endedBy(aBundle(), aStamp({ uploadEpoch: 1 }), after48Hours)).toBe("expired");
    expect(endedBy(aBundle({ mode: "proactive" }), aStamp({ consentEpoch: 1 }), after48Hours)).toBe("expired");
  });

  it.each(["submitted", "accepted", "rejected", "canceled", "expired", "purged"])(
    "is nothing of one that is %s: revoking leaves what was submitted alone",
    (state) => {
      const stamp = aStamp({ consentEpoch: 9, uploadEpoch: 9 });
      expect(endedBy(aBundle({ state, mode: "proactive" }), stamp, after48Hours)).toBeUndefined();
    },
  );
});

describe("an upload that ended", () => {
  it.each(["canceled", "expired"] as const)("%s has its bytes' deletion on its row", (state) => {
    expect(ended(aBundle(), state, now)).toEqual({
      ...aBundle(),
      state,
      purge: { basis: state, intendedOn: now.toISOString() },
    });
  });
});

describe("what events say of a bundle", () => {
  it("is its ids, its day in UTC and its size: nothing of its content or its people", () => {
    expect(bundleFacts(aBundle({ createdOn: "2026-11-23T23:59:59.999Z" }))).toEqual({
      stampId: aStampId,
      bundleId: aBundleId,
      day: "20261123",
      sizeBytes: 4096,
    });
  });

  it("is from where to where it went", () => {
    expect(transition(aBundle(), aBundle({ state: "submitted" }))).toEqual({
      ...bundleFacts(aBundle({ createdOn })),
      fromState: "created",
      toState: "submitted",
    });
  });
});
