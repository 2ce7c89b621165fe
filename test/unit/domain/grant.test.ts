import { describe, expect, it } from "vitest";
import { bundleSet, endByLoss, grantEnd, grantExpiry, lostReason } from "../../../shared/domain/grant.ts";
import { aBundle, aCase, aGrant, anEngineer, aStamp, at, id } from "./support/records.ts";

const duringIt = at("2026-11-23T10:30:00.000Z");
const afterIt = at("2026-11-23T12:00:00.000Z");
const assigned = (epoch: number) => [{ subjectId: anEngineer, epoch }];

describe("a grant", () => {
  it("is active while its time lasts, to the millisecond", () => {
    expect(grantEnd(aGrant(), aCase(), duringIt)).toBeUndefined();
    expect(grantEnd(aGrant(), aCase(), at("2026-11-23T10:59:59.999Z"))).toBeUndefined();
    expect(grantEnd(aGrant(), aCase(), at("2026-11-23T11:00:00.000Z"))).toEqual({
      on: "2026-11-23T11:00:00.000Z",
      reason: "expired",
    });
  });

  const closedOn = "2026-11-23T10:20:00.000Z";
  it.each([
    ["closing the case", { state: "closed", openEpoch: 1, closedOn, updatedOn: closedOn }, "caseClosed", closedOn],
    [
      "closing it, although it was reopened since",
      { openEpoch: 1, updatedOn: "2026-11-23T10:25:00.000Z" },
      "caseClosed",
      "2026-11-23T10:25:00.000Z",
    ],
    ["unassigning the engineer", { assignees: [], updatedOn: closedOn }, "unassigned", closedOn],
    [
      "unassigning, although they were assigned again since",
      { assignees: assigned(2), updatedOn: closedOn },
      "unassigned",
      closedOn,
    ],
  ])("ends by %s", (_, changes, reason, on) => {
    expect(grantEnd(aGrant(), aCase(changes), duringIt)).toEqual({ on, reason });
  });

  it("is not ended by what else changes of the case", () => {
    const changes = { revision: 9, stampIds: [], kind: "productHealth", updatedOn: closedOn, assigneeEpoch: 7 };
    const record = aCase({ ...changes, assignees: [{ subjectId: id(6), epoch: 7 }, ...assigned(1)] });
    expect(grantEnd(aGrant(), record, duringIt)).toBeUndefined();
  });

  it("given after a reopening, or after assigning again, lives under the newer epochs", () => {
    const record = aCase({ openEpoch: 3, assignees: assigned(5) });
    expect(grantEnd(aGrant({ openEpoch: 3, assigneeEpoch: 5 }), record, duringIt)).toBeUndefined();
  });

  it("ended when its time was over, where that came before the case closed", () => {
    const record = aCase({
      state: "closed",
      openEpoch: 1,
      closedOn: afterIt.toISOString(),
      updatedOn: afterIt.toISOString(),
    });
    expect(grantEnd(aGrant(), record, afterIt)?.reason).toBe("expired");
  });

  it("ended when the case closed, where that came before its time was over", () => {
    const record = aCase({ state: "closed", openEpoch: 1, closedOn, updatedOn: closedOn });
    expect(grantEnd(aGrant(), record, afterIt)).toEqual({ on: closedOn, reason: "caseClosed" });
  });

  it("that was ended stays ended as it was", () => {
    const ended = { on: "2026-11-23T10:05:00.000Z", reason: "revoked" } as const;
    const record = aCase({ state: "closed", openEpoch: 1, closedOn, updatedOn: closedOn });
    expect(grantEnd(aGrant({ ended }), record, afterIt)).toEqual(ended);
  });
});

describe("a bundle under a grant", () => {
  const lent = (bundle = {}, stamp = {}) => ({
    stampEpoch: 0,
    bundle: aBundle({ state: "accepted", ...bundle }),
    stamp: aStamp(stamp),
  });
  const erasure = {
    requestedOn: "2026-11-23T10:20:00.000Z",
    dueOn: "2026-11-24T10:20:00.000Z",
    requestedBy: id(4),
    reasonNote: id(12),
  };

  it.each([
    ["nothing", lent(), undefined],
    ["its erasure is asked for", lent({ erasure }), "bundleErased"],
    ["it is purged", lent({ state: "purged" }), "bundlePurged"],
    ["it is due", lent({ purgeOn: "2026-11-23T10:30:00.000Z" }), "bundlePurged"],
    ["it is not due yet", lent({ purgeOn: "2026-11-23T10:30:00.001Z" }), undefined],
    ["its stamp is disabled", lent({}, { state: "disabled", uploadEpoch: 1 }), "stampDisabled"],
    ["its stamp was disabled and enabled again", lent({}, { uploadEpoch: 1 }), "stampDisabled"],
    ["it is not there", { stampEpoch: 0, bundle: undefined, stamp: undefined }, "bundlePurged"],
  ])("is lost where %s happened", (_, bundle, reason) => {
    expect(lostReason(bundle, duringIt)).toBe(reason);
  });

  it("that is lost ends the grant only with the last of them", () => {
    const [whole, lost] = [lent(), lent({ erasure })];
    expect(endByLoss([lost, whole], duringIt)).toBeUndefined();
    expect(endByLoss([whole, lost], duringIt)).toBeUndefined();
    expect(endByLoss([], duringIt)).toBeUndefined();
    expect(endByLoss([lost, lent({ state: "purged" })], duringIt)).toEqual({
      on: duringIt.toISOString(),
      reason: "bundlePurged",
    });
  });
});

describe("what a grant is told apart by", () => {
  it("is its bundles, whatever their order", () => {
    const [a, b] = [
      { stampId: id(1), bundleId: id(2) },
      { stampId: id(1), bundleId: id(3) },
    ];
    expect(bundleSet([a, b])).toBe(bundleSet([b, a]));
    expect(bundleSet([a])).not.toBe(bundleSet([a, b]));
    expect(bundleSet([a])).not.toBe(bundleSet([{ stampId: id(2), bundleId: id(1) }]));
  });
});

it.each([
  [15, "2026-11-23T10:15:00.000Z"],
  [480, "2026-11-23T18:00:00.000Z"],
])("a grant of %i minutes expires that much later", (minutes, expected) => {
  expect(grantExpiry(at("2026-11-23T10:00:00.000Z"), minutes)).toBe(expected);
});
