import { describe, expect, it } from "vitest";
import type { PurgeBasis } from "../../../shared/api/bundles.ts";
import { isPurgeDue, purgeReason, shownPurgeOn } from "../../../shared/domain/purge.ts";
import { aBundle, at, id } from "./support/records.ts";

const byAge = "2027-02-11T00:00:00.000Z";
const sooner = "2026-12-01T10:00:00.000Z";
const soonest = "2026-11-24T10:00:00.000Z";
const erasedOn = (dueOn: string) => ({
  erasure: { requestedOn: "2026-11-23T10:00:00.000Z", dueOn, requestedBy: id(4), reasonNote: id(12) },
});

const intended = (basis: PurgeBasis) => ({ purge: { basis, intendedOn: "2026-11-23T10:00:00.000Z" } });

describe("why a bundle is due for deletion", () => {
  it.each([
    ["its age", {}, { basis: "age", on: byAge }],
    ["the closing of its cases", { caseClosedDueOn: sooner }, { basis: "caseClosed", on: sooner }],
    ["its erasure", erasedOn(sooner), { basis: "erasure", on: sooner }],
    ["the first of several", { caseClosedDueOn: soonest, ...erasedOn(sooner) }, { basis: "caseClosed", on: soonest }],
    ["the first of several", { caseClosedDueOn: sooner, ...erasedOn(soonest) }, { basis: "erasure", on: soonest }],
    ["its age, where the others come later", { caseClosedDueOn: "2027-03-01T00:00:00Z" }, { basis: "age", on: byAge }],
    ["its age, where they come at once", { caseClosedDueOn: byAge }, { basis: "age", on: byAge }],
  ])("is %s", (_, changes, expected) => {
    expect(purgeReason(aBundle(changes))).toEqual(expected);
  });
});

describe("the purgeOn that is shown", () => {
  it("moves forward with the closing of its cases, not with an erasure, and never past its age", () => {
    expect(shownPurgeOn(aBundle())).toBe(byAge);
    expect(shownPurgeOn(aBundle({ caseClosedDueOn: sooner, ...erasedOn(soonest) }))).toBe(sooner);
    expect(shownPurgeOn(aBundle({ caseClosedDueOn: "2027-03-01T00:00:00.000Z" }))).toBe(byAge);
  });
});

describe("a bundle is due", () => {
  it.each([
    ["before its time", {}, "2027-02-10T23:59:59.999Z", false],
    ["at its time", {}, byAge, true],
    ["when its cases were closed long enough", { caseClosedDueOn: sooner }, sooner, true],
    ["just before that", { caseClosedDueOn: sooner }, "2026-12-01T09:59:59.999Z", false],
    ["as soon as its erasure is asked for", erasedOn(soonest), "2026-11-23T10:00:00.000Z", true],
    ["once it is purged", { state: "purged", ...intended("age") }, "2026-11-23T10:00:00.000Z", true],
    [
      "once its deletion is intended, though this instance's clock is behind",
      intended("caseClosed"),
      "2026-11-23T09:59:00.000Z",
      true,
    ],
    [
      "once its deletion is intended before its verdict",
      { state: "submitted", ...intended("erasure") },
      "2026-11-23T10:00:00.000Z",
      true,
    ],
    [
      "not by being rejected, which is told first",
      { state: "rejected", ...intended("rejected") },
      "2026-11-23T10:00:00.000Z",
      false,
    ],
  ])("%s: %s", (_, changes, now, expected) => {
    expect(isPurgeDue(aBundle({ state: "accepted", ...changes }), at(now))).toBe(expected);
  });
});
