import { describe, expect, it } from "vitest";
import { brokenRules } from "../../simulation/ledger.ts";
import { eventShape, type LedgerEvent } from "../../support/system/shapes.ts";

/** What an auditor's reading of the events finds, and that it finds nothing where nothing is wrong. */

const [stampId, bundleId, grantId] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`);
const [one, other] = ["221128004000622", "221128004000623"];
const at = (minute: number) => new Date(Date.UTC(2026, 10, 24, 10, minute)).toISOString();
const now = Date.parse(at(59));

type Told = readonly [partition: string, type: string, data: object, actor?: string];

/** Events in the order of their minutes, a chain in each partition as far as these rules look. */
function ledger(...told: readonly Told[]): LedgerEvent[] {
  return told.map(([partition, type, data, id = "alice"], index) =>
    eventShape.parse({
      partition,
      seq: 1 + told.slice(0, index).filter(([each]) => each === partition).length,
      on: at(index),
      type,
      actor: { kind: "person", id },
      data,
      salt: "salt",
      prevHash: "0".repeat(64),
      hash: "0".repeat(64),
    }),
  );
}

const stamp = `stamps/${stampId}`;
const asked = (caseNumber: string | undefined, askedDigest = "a") => ({ caseNumber, grantId, stampId, askedDigest });
const request = { ...asked(one), purpose: "troubleshooting", bundles: [bundleId], requestedOn: at(0) };
const wish = (caseNumber: string | undefined, digest?: string) => ({
  ...asked(caseNumber, digest),
  approvalOf: [stampId],
});
const active = (caseNumber: string | undefined, digest?: string) => ({
  ...asked(caseNumber, digest),
  startsOn: at(5),
  expiresOn: at(50),
});
const access = (caseNumber: string | undefined) => ({ ...asked(caseNumber), purpose: "troubleshooting", bundleId });

const approved: readonly Told[] = [
  [stamp, "stamp.accessApprovalSet", { mode: "required" }],
  [`cases/${one}`, "grant.requested", wish(one)],
  [stamp, "access.requested", request],
  [stamp, "access.approved", asked(one)],
  [`cases/${one}`, "grant.activated", active(one)],
];

describe("the ledger's judge", () => {
  it("finds nothing where the operator approved what is read", () => {
    expect(brokenRules(ledger(...approved, [stamp, "bundle.accessed", access(one)]), now)).toEqual([]);
  });

  it("finds the approval of one case's grant used by another case", () => {
    const faults = brokenRules(
      ledger(
        ...approved,
        [`cases/${other}`, "grant.requested", wish(other)],
        [`cases/${other}`, "grant.activated", active(other)],
        [stamp, "bundle.accessed", access(other)],
      ),
      now,
    );
    expect(faults).toEqual([
      `cases/${other} 2, grant.activated: stamp ${stampId} did not approve grant ${other}/${grantId}`,
      `${stamp} 4, bundle.accessed: the operator was not asked`,
    ]);
  });

  it("finds an activation of something else than was approved", () => {
    const activated: Told = [`cases/${one}`, "grant.activated", active(one, "b")];
    const faults = brokenRules(ledger(...approved.slice(0, 4), activated), now);
    expect(faults).toEqual([
      `cases/${one} 2, grant.activated: stamp ${stampId} did not approve grant ${one}/${grantId}`,
    ]);
  });

  it.each([
    ["another engineer", access(one), "bob"],
    ["another purpose", { ...access(one), purpose: "productHealth" }, "alice"],
    ["another bundle", { ...access(one), bundleId: grantId }, "alice"],
  ])("finds that %s reads than the operator was shown", (_, data, actor) => {
    const faults = brokenRules(ledger(...approved, [stamp, "bundle.accessed", data, actor]), now);
    expect(faults).toEqual([`${stamp} 4, bundle.accessed: the operator was asked for something else`]);
  });

  it("finds what is lent of a stamp that was lost and then compromised", () => {
    const faults = brokenRules(
      ledger(
        ...approved,
        [stamp, "stamp.disabled", { reason: "lost" }],
        [stamp, "bundle.accessed", access(one)],
        [stamp, "stamp.disabled", { reason: "compromised" }],
        [stamp, "bundle.accessed", access(one)],
      ),
      now,
    );
    expect(faults).toEqual([`${stamp} 7, bundle.accessed: the stamp is compromised`]);
  });
});
