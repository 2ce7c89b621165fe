import { describe, expect, it } from "vitest";
import { grantId, stampId, toUtcTime } from "../../../shared/api/primitives.ts";
import { activate, type RequestRecord, requestOfGrant, requireApproved } from "../../../shared/domain/approval.ts";
import { askedDigest, type GrantRecord } from "../../../shared/domain/grant.ts";
import { aGrant, aStamp, aStampId, at, createdOn, id } from "./support/records.ts";

const on = toUtcTime(at("2026-11-23T10:05:00.000Z"));
const pending = (changes = {}): GrantRecord =>
  aGrant({ approval: { stampIds: [aStampId], requestedOn: createdOn, lapsesOn: on }, ...changes });

/** What the stamp was asked for this grant, and its operator's answer. */
const asked = (grant: GrantRecord, outcome: "approved" | "denied" = "approved"): RequestRecord => ({
  grantId: grant.grantId,
  caseNumber: grant.caseNumber,
  stampId: aStampId,
  requestedOn: createdOn,
  askedDigest: askedDigest(grant),
  answer: { outcome, on, decidedBy: id(4) },
});

const others: readonly [string, object][] = [
  ["case", { caseNumber: "221128004000623" }],
  ["grant", { grantId: grantId.parse(id(40)) }],
  ["engineer", { grantee: id(41) }],
  ["purpose", { purpose: "productHealth" }],
  ["justification", { justificationDigest: "f".repeat(64) }],
  ["bundle", { bundles: [{ stampId: aStampId, bundleId: id(42), stampEpoch: 0 }] }],
  ["role", { roles: ["Compute"] }],
  ["duration", { durationMinutes: 480 }],
];

describe("[invariant 5] an operator's answer", () => {
  it("activates the grant that the stamp was asked for, and lets it be used", () => {
    const grant = pending();
    expect(activate(grant, [asked(grant)])).toMatchObject({ startsOn: on, approval: { approvedOn: on } });
    expect(() => requireApproved(grant, aStampId, aStamp(), asked(grant))).not.toThrow();
  });

  it.each(others)("counts for no grant with another %s", (_, changes) => {
    const foreign = asked(pending(changes));
    expect(requestOfGrant(pending(), foreign)).toBeUndefined();
    expect(activate(pending(), [foreign])).toBeUndefined();
    expect(() => requireApproved(pending(), aStampId, aStamp(), foreign)).toThrow(
      expect.objectContaining({
        code: "GrantNotActive",
        details: [expect.objectContaining({ code: "approvalRequired" })],
      }),
    );
  });

  it("counts for no grant where it does not say what was asked", () => {
    const { askedDigest: _unsaid, ...old } = asked(pending());
    expect(activate(pending(), [old])).toBeUndefined();
  });

  it("that denies lets nothing be used", () => {
    expect(() => requireApproved(pending(), aStampId, aStamp(), asked(pending(), "denied"))).toThrow(
      expect.objectContaining({ details: [expect.objectContaining({ code: "denied" })] }),
    );
  });
});

describe("the digest of what was asked", () => {
  it("is the same whatever the order of bundles and roles, and whatever became of the grant", () => {
    const [one, other] = [id(42), id(43)].map((bundleId) => ({ stampId: aStampId, bundleId, stampEpoch: 0 }));
    const digests = [
      pending({ bundles: [one, other], roles: ["Compute", "Storage"] }),
      pending({ bundles: [other, one], roles: ["Storage", "Compute"] }),
      pending({
        bundles: [other, { ...one, stampEpoch: 3 }],
        roles: ["Compute", "Storage"],
        ended: { on, reason: "denied" },
      }),
    ].map(askedDigest);
    expect(new Set(digests).size).toBe(1);
  });

  it("differs by the stamp of a bundle, and where roles are named", () => {
    const stamps = [aStampId, stampId.parse(id(44))].map((each) =>
      askedDigest(pending({ bundles: [{ stampId: each, bundleId: id(42), stampEpoch: 0 }] })),
    );
    expect(stamps[0]).not.toBe(stamps[1]);
    expect(askedDigest(pending())).not.toBe(askedDigest(pending({ roles: [] })));
  });
});
