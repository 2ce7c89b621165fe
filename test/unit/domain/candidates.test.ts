import { describe, expect, it } from "vitest";
import { type CaseSigns, judgeCandidate } from "../../../shared/domain/candidates.ts";
import { aBundle, aCase, aCaseNumber, at, id } from "./support/records.ts";

const now = at("2026-11-24T10:00:00.000Z");
const nothingElse = { title: undefined, linked: [] };
const judge = (changes = {}, signs: CaseSigns = nothingElse) =>
  judgeCandidate(aBundle({ state: "accepted", ...changes }), aCase(), signs, now);
const reasons = (changes = {}) => judge(changes)?.reasons;
const score = (changes = {}, signs?: CaseSigns) => judge(changes, signs)?.score ?? Number.NaN;

describe("a bundle that could be linked to a case", () => {
  it("is so because the case lists its stamp, with the time its logs are of", () => {
    expect(reasons()).toEqual([
      "Collected within 4 hours of the case's opening.",
      "It holds logs of the hours before the case was opened.",
      "The case lists its stamp.",
      "Holds logs from 2026-11-23T06:00:00Z to 2026-11-23T10:00:00Z.",
    ]);
    expect(reasons({ state: "submitted" })).toBeDefined();
  });

  it("tells that the operator named the case, and what it was collected for", () => {
    expect(reasons({ caseNumber: aCaseNumber })).toContain("The operator named this case when sending it.");
    expect(reasons({ caseNumber: "221128004000623" })).not.toContain("The operator named this case when sending it.");
    const trigger = { faultId: "Urp.UpdateFailure", raisedOn: "2026-11-23T09:00:00Z" };
    expect(reasons({ mode: "proactive", trigger })).toContain(
      "Collected when Urp.UpdateFailure was raised on 2026-11-23T09:00:00Z.",
    );
  });

  it.each([
    ["is linked already", { links: [{ caseNumber: aCaseNumber, linkedOn: now.toISOString() }] }],
    ["has no bytes yet", { state: "created" }],
    ["was rejected", { state: "rejected" }],
    ["was canceled", { state: "canceled" }],
    ["expired", { state: "expired" }],
    ["is purged", { state: "purged" }],
    ["is due", { purgeOn: now.toISOString() }],
    [
      "is to be erased",
      { erasure: { requestedOn: now.toISOString(), dueOn: now.toISOString(), requestedBy: id(4), reasonNote: id(5) } },
    ],
  ])("is none that %s", (_, changes) => {
    expect(reasons(changes)).toBeUndefined();
  });

  it("may be linked to another case already", () => {
    expect(reasons({ links: [{ caseNumber: "221128004000623", linkedOn: now.toISOString() }] })).toBeDefined();
  });
});

describe("the order of candidates", () => {
  const fault = { mode: "proactive", trigger: { faultId: "Urp.UpdateFailure", raisedOn: "2026-11-23T09:00:00Z" } };
  const longAgo = {
    collectedOn: "2026-11-10T10:00:00Z",
    logsFrom: "2026-11-10T06:00:00Z",
    logsTo: "2026-11-10T10:00:00Z",
  };

  it("goes by the case's number before anything else", () => {
    const rest = { title: "Urp.UpdateFailure again", linked: [aBundle(fault)] };
    expect(score({ ...longAgo, caseNumber: aCaseNumber })).toBeGreaterThan(score(longAgo));
    expect(score({ ...longAgo, caseNumber: aCaseNumber })).toBeGreaterThan(score({}, rest));
  });

  it("goes by the fault: of a bundle of the case, or in its title", () => {
    const linked = { title: undefined, linked: [aBundle(fault)] };
    const other = { ...fault, trigger: { ...fault.trigger, faultId: "Urp.UpdateWarning" } };
    expect(score(fault, linked)).toBeGreaterThan(score(other, linked));
    const titled = { title: "It says URP.UPDATEFAILURE since Monday", linked: [] };
    expect(score(fault, titled)).toBeGreaterThan(score(other, titled));
    expect(judge(fault, titled)?.reasons).toContain("The case's title names its fault.");
    expect(judge(fault, linked)?.reasons).toContain("A bundle of the case was collected for the same fault.");
  });

  it("goes by time: the nearer to the case's opening", () => {
    const on = (collectedOn: string) => score({ ...longAgo, collectedOn });
    const days = ["2026-11-23T09:00:00Z", "2026-11-22T20:00:00Z", "2026-11-21T12:00:00Z", "2026-11-01T12:00:00Z"].map(
      on,
    );
    expect(days).toEqual(days.toSorted((one, other) => other - one));
    expect(new Set(days).size).toBe(4);
  });

  it("goes by the window: the hours of a bundle of the case, and those before its opening", () => {
    const window = { logsFrom: "2026-11-10T08:00:00Z", logsTo: "2026-11-10T09:00:00Z" };
    const linked = { title: undefined, linked: [aBundle(window)] };
    expect(score(longAgo, linked)).toBeGreaterThan(score(longAgo));
    expect(score({ ...longAgo, logsFrom: "2026-11-23T05:00:00Z", logsTo: "2026-11-23T07:00:00Z" })).toBeGreaterThan(
      score(longAgo),
    );
  });
});
