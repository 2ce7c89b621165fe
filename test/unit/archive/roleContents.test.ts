import { expect, it } from "vitest";
import { completeness } from "../../../shared/api/bundles.ts";
import { RoleContents } from "../../../shared/archive/roleContents.ts";

/** What a bundle holds of each published role, to whom its paths are not shown. */

it("counts by published role in whatever case, and all else as other, which comes last", () => {
  const contents = new RoleContents();
  contents.add({ role: undefined, sizeBytes: 5 });
  contents.add({ role: "storage", sizeBytes: 10, modifiedOn: "2027-02-03T01:00:00.000Z" });
  contents.add({ role: "STORAGE", sizeBytes: 20, modifiedOn: "2027-02-03T00:00:00.000Z" });
  contents.add({ role: "Passwords", sizeBytes: 7, modifiedOn: "2027-02-03T03:00:00.000Z" });
  contents.add({ role: "ACS", sizeBytes: 1 });
  expect(contents.inOrder()).toEqual([
    { role: "ACS", files: 1, bytes: 1 },
    { role: "Storage", files: 2, bytes: 30, firstOn: "2027-02-03T00:00:00.000Z", lastOn: "2027-02-03T01:00:00.000Z" },
    { role: "other", files: 2, bytes: 12, firstOn: "2027-02-03T03:00:00.000Z", lastOn: "2027-02-03T03:00:00.000Z" },
  ]);
});

it("stays a number that JSON tells exactly, whatever sizes a directory says", () => {
  const contents = new RoleContents();
  for (let file = 0; file < 3; file += 1) contents.add({ role: "__proto__", sizeBytes: Number.MAX_SAFE_INTEGER });
  const [other] = contents.inOrder();
  expect(other).toEqual({ role: "other", files: 3, bytes: Number.MAX_SAFE_INTEGER });
  expect(completeness.safeParse({ verdict: "complete", findings: [], roles: [other] }).success).toBe(true);
});
