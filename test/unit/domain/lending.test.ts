import { describe, expect, it } from "vitest";
import { stampId } from "../../../shared/api/primitives.ts";
import { type Lending, requireActiveGrant, requireLendable } from "../../../shared/domain/lending.ts";
import { subjectId } from "../../../shared/domain/people.ts";
import { DomainError } from "../../../shared/errors.ts";
import { aBundle, aCase, aCaseNumber, aGrant, anEngineer, aStamp, aStampId, at, id } from "./support/records.ts";

const now = at("2026-11-24T10:00:00.000Z");
const link = { caseNumber: aCaseNumber, linkedOn: "2026-11-23T10:00:00.000Z" };
const accepted = { state: "accepted", links: [link] };
const consented = (...purposes: string[]) => ({ consentDecision: { ...aBundle().consentDecision, purposes } });
const erasure = {
  requestedOn: now.toISOString(),
  dueOn: "2026-11-25T10:00:00.000Z",
  requestedBy: id(4),
  reasonNote: id(12),
};

const lending = (changes: Partial<Lending> = {}): Lending => ({
  case: aCase(),
  stampId: aStampId,
  bundle: aBundle(accepted),
  sender: aStamp(),
  purpose: "troubleshooting",
  now,
  ...changes,
});

function verdict(asked: Lending): string {
  try {
    requireLendable(asked);
    return "lendable";
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

describe("a bundle is lent", () => {
  it("where it is accepted and linked, its stamp is on the open case, it is not due, and its consent includes the purpose", () => {
    expect(requireLendable(lending())).toEqual(aBundle(accepted));
  });

  it("for product health too, of a support case and of one of that kind", () => {
    expect(verdict(lending({ purpose: "productHealth" }))).toBe("lendable");
    expect(verdict(lending({ purpose: "productHealth", case: aCase({ kind: "productHealth" }) }))).toBe("lendable");
  });

  it("until the millisecond in which it is due", () => {
    const bundle = aBundle({ ...accepted, purgeOn: "2026-11-24T10:00:00.001Z" });
    expect(verdict(lending({ bundle }))).toBe("lendable");
    expect(verdict(lending({ bundle, now: at("2026-11-24T10:00:00.001Z") }))).toBe("PurgeDue");
  });

  it.each([
    ["CaseNotOpen", { case: aCase({ state: "closed" }) }],
    ["StampNotOnCase", { case: aCase({ stampIds: [stampId.parse(id(7))] }) }],
    ["BundleNotLinked", { bundle: aBundle({ state: "accepted" }) }],
    ["BundleNotLinked", { bundle: aBundle({ ...accepted, links: [{ ...link, caseNumber: "221128004000623" }] }) }],
    ["BundleNotLinked", { bundle: undefined }],
    ["PurgeDue", { bundle: aBundle({ ...accepted, purgeOn: now.toISOString() }) }],
    ["PurgeDue", { bundle: aBundle({ ...accepted, caseClosedDueOn: now.toISOString() }) }],
    ["PurgeDue", { bundle: aBundle({ ...accepted, erasure }) }],
    ["PurgeDue", { bundle: aBundle({ ...accepted, state: "purged" }) }],
    ["BundleNotAccepted", { bundle: aBundle({ ...accepted, state: "created" }) }],
    ["BundleNotAccepted", { bundle: aBundle({ ...accepted, state: "submitted" }) }],
    ["BundleNotAccepted", { bundle: aBundle({ ...accepted, state: "rejected" }) }],
    ["BundleNotAccepted", { bundle: aBundle({ ...accepted, state: "canceled" }) }],
    ["BundleNotAccepted", { bundle: aBundle({ ...accepted, state: "expired" }) }],
    ["PurposeNotConsented", { bundle: aBundle({ ...accepted, ...consented("productHealth") }) }],
    [
      "PurposeNotConsented",
      { bundle: aBundle({ ...accepted, ...consented("troubleshooting") }), purpose: "productHealth" as const },
    ],
    ["PurposeNotConsented", { case: aCase({ kind: "productHealth" }) }],
    ["StampDisabled", { sender: aStamp({ state: "disabled", disabledReason: "compromised" }) }],
    ["StampDisabled", { sender: undefined }],
  ])("never where it is %s", (code, changes) => {
    expect(verdict(lending(changes))).toBe(code);
  });

  it.each(["lost", "decommissioned"])("also where its stamp is %s: its bundles are sound", (disabledReason) => {
    expect(verdict(lending({ sender: aStamp({ state: "disabled", disabledReason }) }))).toBe("lendable");
  });

  it("and of several refusals the first in the contract's order is given", () => {
    const everythingWrong = {
      sender: aStamp({ state: "disabled", disabledReason: "compromised" }),
      case: aCase({ state: "closed", stampIds: [], kind: "productHealth" }),
      bundle: aBundle({ state: "submitted", purgeOn: now.toISOString(), ...consented("productHealth") }),
    };
    const mended: readonly [string, Partial<Lending>][] = [
      ["CaseNotOpen", {}],
      ["StampNotOnCase", { case: aCase({ stampIds: [], kind: "productHealth" }) }],
      ["BundleNotLinked", { case: aCase({ kind: "productHealth" }) }],
      ["PurgeDue", { bundle: aBundle({ ...everythingWrong.bundle, links: [link] }) }],
      ["BundleNotAccepted", { bundle: aBundle({ links: [link], state: "submitted", ...consented("productHealth") }) }],
      ["PurposeNotConsented", { bundle: aBundle({ ...accepted, ...consented("productHealth") }) }],
      ["StampDisabled", { purpose: "productHealth" }],
    ];
    let asked = lending(everythingWrong);
    for (const [code, mend] of mended) {
      asked = { ...asked, ...mend };
      expect(verdict(asked)).toBe(code);
    }
    expect(verdict({ ...asked, sender: aStamp() })).toBe("lendable");
  });
});

describe("a grant is used", () => {
  const during = at("2026-11-23T10:30:00.000Z");

  it("by its grantee while it is active", () => {
    expect(() => requireActiveGrant(aGrant(), aCase(), anEngineer, during)).not.toThrow();
  });

  it("by nobody else, whether or not it has ended", () => {
    const other = subjectId.parse(id(6));
    for (const when of [during, now]) {
      expect(() => requireActiveGrant(aGrant(), aCase(), other, when)).toThrow(
        expect.objectContaining({ code: "NotTheGrantee" }),
      );
    }
  });

  it("not after its end, whose reason is told", () => {
    expect(() => requireActiveGrant(aGrant(), aCase(), anEngineer, now)).toThrow(
      expect.objectContaining({
        code: "GrantNotActive",
        details: [{ code: "expired", message: "Ended on 2026-11-23T11:00:00.000Z." }],
      }),
    );
  });
});
