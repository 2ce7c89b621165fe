import { describe, expect, it } from "vitest";
import { candidateReasons } from "../../../shared/domain/candidates.ts";
import { aBundle, aCase, aCaseNumber, at, id } from "./support/records.ts";

const now = at("2026-11-24T10:00:00.000Z");
const reasons = (changes = {}) => candidateReasons(aBundle({ state: "accepted", ...changes }), aCase(), now);

describe("a bundle that could be linked to a case", () => {
  it("is so because the case lists its stamp, with the time its logs are of", () => {
    expect(reasons()).toEqual([
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
