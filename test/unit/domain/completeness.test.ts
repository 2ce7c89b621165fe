import { describe, expect, it } from "vitest";
import { stampId, utcTime } from "../../../shared/api/primitives.ts";
import { type CompletenessFacts, completenessOf } from "../../../shared/domain/completeness.ts";
import { inventoryWarning } from "../../../shared/domain/inventory.ts";

const stamp = stampId.parse("6f1f0c39-8f0a-4c0e-9a55-0d8f5c1f6b11");
const zip = (role: string, part?: number) => ({
  path: `${role}-20270203040506.zip`,
  role,
  ...(part === undefined ? {} : { part }),
});
const asked = {
  mode: "sendNow" as const,
  stampId: stamp,
  stampVersion: "1.2501.1.47",
  roles: ["Storage", "Compute"],
  logsFrom: utcTime.parse("2027-02-03T00:00:00Z"),
  logsTo: utcTime.parse("2027-02-03T04:00:00Z"),
};
const whole: CompletenessFacts = {
  asked,
  deploymentId: undefined,
  zips: [zip("Storage"), zip("Compute")],
  warnings: {},
  from: "2027-02-03T00:10:00Z",
  to: "2027-02-03T03:50:00Z",
  terminatingErrors: [],
  stampInformation: undefined,
  contents: [],
};
const judged = (changes: Partial<CompletenessFacts>) => completenessOf({ ...whole, ...changes });
const codes = (changes: Partial<CompletenessFacts>) => {
  const { verdict, findings } = judged(changes);
  return { verdict, codes: findings.map(({ code }) => code) };
};

describe("a bundle is judged", () => {
  it("complete where nothing is missing, and then suggests nothing", () => {
    expect(judged({})).toEqual({ verdict: "complete", findings: [], roles: [] });
    expect(judged({ asked: { ...asked, roles: ["storage", "COMPUTE"] } }).verdict).toBe("complete");
  });

  const cases: readonly [string, Partial<CompletenessFacts>, string, readonly string[]][] = [
    ["incomplete without a role that was asked for", { zips: [zip("Storage")] }, "incomplete", ["RoleMissing"]],
    [
      "incomplete where a part is missing between others",
      { zips: [zip("Storage"), zip("Storage", 3), zip("Compute")] },
      "incomplete",
      ["PartMissing"],
    ],
    [
      "incomplete where the first part is",
      { zips: [zip("Storage", 2), zip("Compute")] },
      "incomplete",
      ["PartMissing"],
    ],
    [
      "complete where all parts are there",
      { zips: [zip("Storage"), zip("Storage", 2), zip("Storage", 3), zip("Compute")] },
      "complete",
      [],
    ],
    ["incomplete where a role zip is damaged", { warnings: { damagedRoleZip: 1 } }, "incomplete", ["RoleZipDamaged"]],
    ["incomplete where one grows without end", { warnings: { roleZipTooLarge: 1 } }, "incomplete", ["RoleZipDamaged"]],
    ["incomplete where the window ends early", { to: "2027-02-03T03:00:00Z" }, "incomplete", ["WindowEndsEarly"]],
    [
      "unknown where its beginning shows only inside",
      { from: "2027-02-03T02:00:00Z" },
      "unknown",
      ["WindowStartUnseen"],
    ],
    ["complete where every file was written at its collection", { from: "2027-02-03T03:55:00Z" }, "complete", []],
    ["unknown without a role's zip", { asked: { ...asked, roles: [] }, zips: [] }, "unknown", ["NoRoleZips"]],
    [
      "incomplete by its log's errors only where something is missing",
      { zips: [zip("Storage")], terminatingErrors: ["PS>TerminatingError(): no disk"] },
      "incomplete",
      ["RoleMissing", "CollectionFailed"],
    ],
    [
      "complete with its log's errors where nothing is",
      { terminatingErrors: ["PS>TerminatingError(): no disk"] },
      "complete",
      ["CollectionErrorsHarmless"],
    ],
    [
      "unknown where it tells of another stamp",
      { stampInformation: { CloudID: "another", StampVersion: "1.2408.1.1" } },
      "unknown",
      ["StampContradicted", "StampContradicted"],
    ],
    [
      "unknown where it tells of another deployment",
      { deploymentId: "one", stampInformation: { DeploymentID: "other" } },
      "unknown",
      ["StampContradicted"],
    ],
    [
      "complete where it tells of its own stamp, in whatever case",
      { stampInformation: { CloudID: stamp.toUpperCase(), StampVersion: asked.stampVersion } },
      "complete",
      [],
    ],
    ["complete where no file tells a time", { from: undefined, to: undefined }, "complete", []],
  ];
  it.each(cases)("%s", (_how, changes, verdict, expected) => {
    expect(codes(changes)).toEqual({ verdict, codes: expected });
  });

  it("by every warning of its inventory, each a finding", () => {
    for (const warning of inventoryWarning.options) {
      const { verdict, findings } = judged({ warnings: { [warning]: 3 } });
      expect(findings, warning).toHaveLength(1);
      expect(findings[0]?.message, warning).toContain("3");
      const leavesDoubt = ["damagedDirectory", "skippedRoleZip", "tooManyEntries", "tooMuchReading"].includes(warning);
      const isDamage = ["damagedRoleZip", "roleZipTooLarge"].includes(warning);
      expect(verdict, warning).toBe(isDamage ? "incomplete" : leavesDoubt ? "unknown" : "complete");
    }
  });

  it("in messages without a word of its content, which stands apart for its stamp", () => {
    const { findings, suggestedCommand } = judged({
      zips: [zip("Storage"), zip("Secret", 2)],
      terminatingErrors: ["PS>TerminatingError(): Secret"],
      stampInformation: { CloudID: "Secret", DeploymentID: "Secret", StampVersion: "Secret" },
      deploymentId: "one",
    });
    expect(findings.filter(({ detail }) => detail?.includes("Secret")).map(({ code }) => code)).toEqual([
      "PartMissing",
      "CollectionFailed",
      "StampContradicted",
      "StampContradicted",
      "StampContradicted",
    ]);
    expect(findings.map(({ message }) => message).join()).not.toContain("Secret");
    expect(suggestedCommand).toContain("-FilterByRole Compute -");
  });

  it("by no more missing parts than a person reads, whatever number a name holds", () => {
    expect(judged({ zips: [zip("Storage", 9999), zip("Compute")] }).findings).toHaveLength(20);
  });
});

describe("the suggested command", () => {
  it("collects the missing role in the window that was asked for", () => {
    expect(judged({ zips: [zip("Storage")] }).suggestedCommand).toBe(
      '$from = [datetime]"2027-02-03T00:00:00Z"; $to = [datetime]"2027-02-03T04:00:00Z"; ' +
        'Invoke-Command -Session $session -ScriptBlock { Get-AzureStackLog -OutputSasUri "<URL of a drop box>" ' +
        "-FilterByRole Compute -FromDate $using:from -ToDate $using:to }",
    );
  });

  it("collects all that was asked for where it cannot be told what is damaged", () => {
    expect(judged({ warnings: { damagedRoleZip: 1 } }).suggestedCommand).toContain("-FilterByRole Storage,Compute ");
    const withoutRoles = judged({ asked: { ...asked, roles: [] }, warnings: { damagedRoleZip: 1 } });
    expect(withoutRoles.suggestedCommand).not.toContain("FilterByRole");
  });

  it("names no window where none was asked for", () => {
    const windowless = { ...asked, logsFrom: undefined, logsTo: undefined };
    const { suggestedCommand } = judged({ asked: windowless, zips: [zip("Storage")] });
    expect(suggestedCommand).toMatch(/-FilterByRole Compute \}$/);
  });

  it("names no role that would run anything else", () => {
    const roles = ["Storage; Remove-Item x", "Compute"];
    const { suggestedCommand } = judged({ asked: { ...asked, roles }, zips: [zip("SQL")] });
    expect(suggestedCommand).toContain("-FilterByRole Compute ");
    expect(suggestedCommand).not.toContain("Remove-Item");
  });
});
