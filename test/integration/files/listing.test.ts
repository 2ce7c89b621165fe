import { expect, test } from "vitest";
import { z } from "zod";
import { expectWholeLedger } from "../../support/ledger.ts";
import { approve, deny, setApproval } from "../../support/system/approvals.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import type { Answer } from "../../support/system/http.ts";
import type { Person } from "../../support/system/world.ts";
import { rawZip } from "../../unit/archive/support/rawZip.ts";
import { zipOf } from "../../unit/archive/support/zips.ts";
import { expectToOutlive } from "../operations/support/outages.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";
import { acceptedOf, lentBundle } from "./support.ts";

/** A list of paths is content: it is given under a grant, and its customer sees to whom. */

const stages = useStages();

const role = await zipOf([
  { name: "NODE01/a.log", content: Buffer.from("a") },
  { name: "NODE01/b.log", content: Buffer.from("bb") },
]);
const zip = rawZip([
  { name: "Compute-20270203040506.zip", data: role },
  { name: "Get-AzureStackLog_Output.log", data: Buffer.from("all well\n") },
  { name: "Storage-20270203040506.zip", data: role },
]);

const fileList = z.object({
  value: z.array(z.object({ path: z.string(), role: z.string().optional() })),
  nextLink: z.string().optional(),
});
const pathsIn = (answer: Answer) => fileList.parse(expectStatus(answer, 200).json).value.map(({ path }) => path);

const listedIn = async (stage: Stage, partition: string) =>
  (await stage.events(partition)).filter(({ type }) => type === "bundle.listed");

/** Follows every `nextLink`. */
async function allPages({ call }: Person, path: string, top: string): Promise<string[]> {
  const seen: string[] = [];
  for (let query: Record<string, string> | undefined = { top }; query !== undefined; ) {
    const page = fileList.parse(expectStatus(await call("GET", path, undefined, { query }), 200).json);
    seen.push(...page.value.map((file) => file.path));
    query = page.nextLink === undefined ? undefined : Object.fromEntries(new URL(page.nextLink).searchParams);
  }
  return seen;
}

test("[invariant 5] an assigned engineer lists no files without a grant of their own that lends the bundle", async () => {
  const stage = stages();
  const { stamp, supportCase, bundle, grant, call } = await lentBundle(stage, zip);
  const path = `${supportCase.linkPath(bundle)}/files`;
  const other = await stage.engineer();
  expectRefusal(await other.call("GET", path), 404, "NotFound");
  await supportCase.put({ assignees: [supportCase.engineer.oid, other.oid] });
  expectRefusal(await other.call("GET", path), 403, "GrantNotActive");
  const named = { query: { grantId: grant.grantId } };
  expectRefusal(await other.call("GET", path, undefined, named), 403, "NotTheGrantee");
  expectRefusal(await call("GET", "/files", undefined, { grantId: crypto.randomUUID() }), 404, "NotFound");

  const second = await acceptedOf(stage, stamp, zip);
  expectStatus(await supportCase.link(second), 201);
  const ofSecond = `${supportCase.linkPath(second)}/files`;
  expectRefusal(await supportCase.engineer.call("GET", ofSecond), 403, "GrantNotActive");
  expectRefusal(await supportCase.engineer.call("GET", ofSecond, undefined, named), 409, "BundleNotLinked");
  expect(await listedIn(stage, stamp.partition)).toEqual([]);
});

test("[invariant 5] nor once the grant, the case, the link or the bundle has ended", async () => {
  const stage = stages();
  const revoked = await lentBundle(stage, zip);
  const grantPath = `${revoked.supportCase.path}/accessGrants/${revoked.grant.grantId}`;
  expectStatus(await revoked.supportCase.engineer.call("POST", `${grantPath}:revoke`), 200);
  expectRefusal(await revoked.call("GET", "/files"), 403, "GrantNotActive");
  const closed = await lentBundle(stage, zip);
  await closed.supportCase.close();
  expectRefusal(await closed.call("GET", "/files"), 403, "GrantNotActive");
  const unlinked = await lentBundle(stage, zip);
  await unlinked.supportCase.unlink(unlinked.bundle);
  expectRefusal(await unlinked.call("GET", "/files"), 409, "BundleNotLinked");
  const erased = await lentBundle(stage, zip);
  expectStatus(await erased.erase(), 202);
  const named = { grantId: erased.grant.grantId };
  expectRefusal(await erased.call("GET", "/files", undefined, named), 403, "PurgeDue");
  for (const { stamp } of [revoked, closed, unlinked, erased]) {
    expect(await listedIn(stage, stamp.partition)).toEqual([]);
  }
});

test.each(["lost", "compromised"])("[invariant 5] nor of a stamp that was disabled as %s", async (reason) => {
  const stage = stages();
  const { stamp, call, extract } = await lentBundle(stage, zip);
  const path = "Storage-20270203040506.zip/NODE01/a.log";
  expectStatus(await extract(path), 200);
  const { id } = z.object({ id: z.string() }).parse((await extract(path)).json);
  expectStatus(await (await stage.person("R")).call("POST", `${stamp.path}:disable`, { reason }), 200);
  expectRefusal(await call("GET", "/files"), 403, "GrantNotActive");
  expectRefusal(await call("GET", `/extractions/${id}`), 403, "GrantNotActive");
  expect(await listedIn(stage, stamp.partition)).toEqual([]);
});

test("[invariant 5] nor before the operator approves, nor after they took that back", async () => {
  const stage = stages();
  const { stamp, supportCase, bundle, grant: before } = await lentBundle(stage, zip);
  const path = `${supportCase.linkPath(bundle)}/files`;
  const { call } = supportCase.engineer;
  expectStatus(await call("POST", `${supportCase.path}/accessGrants/${before.grantId}:revoke`), 200);
  expectStatus(await setApproval(stamp, "required"), 200);
  const waiting = await supportCase.grant([bundle]);
  expectRefusal(await call("GET", path), 403, "GrantNotActive");
  expect(await listedIn(stage, stamp.partition)).toEqual([]);
  expectStatus(await approve(stamp, waiting.grantId), 200);
  expectStatus(await call("GET", path), 200);
  expectStatus(await deny(stamp, waiting.grantId), 200);
  expectRefusal(await call("GET", path), 403, "GrantNotActive");
  expect(await listedIn(stage, stamp.partition)).toHaveLength(1);
});

test("[invariant 5] the first list of a bundle's files by a person on a UTC day is one event, which the customer and the auditor see", async () => {
  const stage = stages();
  const { stamp, supportCase, bundle, grant, call } = await lentBundle(stage, zip);
  const path = `${supportCase.linkPath(bundle)}/files`;
  expect(await allPages(supportCase.engineer, path, "2")).toHaveLength(7);
  await call("GET", "/files");
  const subject = { stampId: stamp.stampId, bundleId: bundle.bundleId, caseNumber: supportCase.caseNumber };
  const said = { ...subject, grantId: grant.grantId, purpose: "troubleshooting" };
  expect(await listedIn(stage, stamp.partition)).toMatchObject([
    { actor: { kind: "person" }, data: { ...said, caseKind: "support" } },
  ]);

  expectStatus(await call("POST", "/files:extract", { path: "Get-AzureStackLog_Output.log" }), 200);
  const seen = expectStatus(await stamp.call("GET", `${stamp.path}/accesses`), 200).json;
  expect(seen).toMatchObject({ value: [{ kind: "read" }, { ...said, kind: "list" }] });
  expect((await stamp.call("GET", `${stamp.path}/accesses`)).text).not.toContain(supportCase.engineer.oid);
  const auditor = await stage.person("A");
  const everywhere = async () => expectStatus(await auditor.call("GET", "/compliance/accesses"), 200).json;
  const audited = { value: [{ kind: "read" }, { ...said, kind: "list", accessor: supportCase.engineer.oid }] };
  expect(await everywhere()).toMatchObject(audited);
  await stage.app.timers.foldLedger();
  expect(await everywhere()).toMatchObject(audited);

  const colleague = await stage.engineer();
  await supportCase.put({ assignees: [supportCase.engineer.oid, colleague.oid] });
  await supportCase.grant([bundle], {}, colleague);
  expectStatus(await colleague.call("GET", path), 200);
  expect(await listedIn(stage, stamp.partition)).toHaveLength(2);

  const tomorrow = stage.another({ offsetDays: 1 });
  const engineer = await tomorrow.person("E", supportCase.engineer.oid);
  const body = supportCase.grantRequest([bundle]);
  expectStatus(await engineer.call("PUT", `${supportCase.path}/accessGrants/${crypto.randomUUID()}`, body), 201);
  for (const _time of [1, 2]) expectStatus(await engineer.call("GET", path), 200);
  expect(await listedIn(stage, stamp.partition)).toHaveLength(3);
  expectWholeLedger(await stage.events(stamp.partition));
});

test("[invariant 5] twelve lists at once are one event", async () => {
  const stage = stages();
  const { stamp, call } = await lentBundle(stage, zip);
  const answers = await Promise.all(Array.from({ length: 12 }, () => call("GET", "/files")));
  for (const answer of answers) expect(pathsIn(answer)).toHaveLength(7);
  expect(await listedIn(stage, stamp.partition)).toHaveLength(1);
  const seen = expectStatus(await stamp.call("GET", `${stamp.path}/accesses`), 200).json;
  expect(seen).toMatchObject({ value: [{ kind: "list" }] });
});

test("[invariant 5] where the event cannot be written, no path leaves", async () => {
  const stage = stages();
  const { call } = await lentBundle(stage, zip);
  stage.faults.failWhere(({ method, url }) => method === "POST" && url.includes("$batch"));
  const refused = await call("GET", "/files");
  expectRefusal(refused, 503, "ServiceUnavailable");
  expect(refused.text).not.toContain("NODE01");
  stage.faults.failWhere(undefined);
  expect(pathsIn(await call("GET", "/files"))).toHaveLength(7);
});

test("[invariant 1] [invariant 7] an outage at each call of listing files", { timeout: 600_000 }, async () => {
  const stage = stages();
  await expectToOutlive(stage, async () => {
    const { call, stamp } = await lentBundle(stage, zip);
    return { act: () => call("GET", "/files"), writes: { [stamp.partition]: { "bundle.listed": 1 } } };
  });
});

test("[invariant 5] a grant of roles lists their files alone, on every page, and the grant of most roles is used where none is named", async () => {
  const stage = stages();
  const { supportCase, bundle, grant, call } = await lentBundle(stage, zip, { roles: ["storage"] });
  const path = `${supportCase.linkPath(bundle)}/files`;
  const ofStorage = [
    "Storage-20270203040506.zip",
    "Storage-20270203040506.zip/NODE01/a.log",
    "Storage-20270203040506.zip/NODE01/b.log",
  ];
  expect(pathsIn(await call("GET", "/files"))).toEqual(ofStorage);
  expect(await allPages(supportCase.engineer, path, "1")).toEqual(ofStorage);
  expect(pathsIn(await call("GET", "/files", undefined, { prefix: "Compute" }))).toEqual([]);
  await supportCase.grant([bundle]);
  expect(pathsIn(await call("GET", "/files"))).toHaveLength(7);
  expect(pathsIn(await call("GET", "/files", undefined, { grantId: grant.grantId }))).toEqual(ofStorage);
});

test("[invariant 5] a grant of roles tells nothing of a file of another role that a colleague took out", async () => {
  const stage = stages();
  const { supportCase, bundle, extract } = await lentBundle(stage, zip);
  const colleague = await stage.engineer();
  await supportCase.put({ assignees: [supportCase.engineer.oid, colleague.oid] });
  await supportCase.grant([bundle], { roles: ["Storage"] }, colleague);
  const poll = async (path: string) => {
    const { id } = z.object({ id: z.string() }).parse(expectStatus(await extract(path), 200).json);
    return await colleague.call("GET", `${supportCase.linkPath(bundle)}/extractions/${id}`);
  };
  const ofStorage = "Storage-20270203040506.zip/NODE01/a.log";
  expect(expectStatus(await poll(ofStorage), 200).json).toMatchObject({ path: ofStorage });
  expectRefusal(await poll("Compute-20270203040506.zip/NODE01/a.log"), 404, "NotFound");
  expectRefusal(await poll("Get-AzureStackLog_Output.log"), 404, "NotFound");
});

const completenessShape = z.object({
  verdict: z.string(),
  findings: z.array(z.object({ code: z.string(), message: z.string(), detail: z.string().optional() })),
  roles: z.array(z.object({ role: z.string() }).loose()),
  suggestedCommand: z.string().optional(),
});

test("without a grant an engineer sees what to ask for: files, bytes and times by published role, and no word of the content", async () => {
  const stage = stages();
  const mark = "Zmarkz";
  const bundle = rawZip([
    { name: "Storage-20270203040506.zip", data: role },
    { name: `${mark}Role-part2-20270203040506.zip`, data: role },
    { name: `${mark}.log`, data: Buffer.from("12345") },
    {
      name: "Get-AzureStackLog_Output.log",
      data: Buffer.from(`PS>TerminatingError(): ${mark} is not there\nmore`),
    },
    { name: "AzureStackStampInformation.json", data: Buffer.from(JSON.stringify({ CloudID: mark })) },
  ]);
  const stamp = await stage.registeredStamp();
  const created = await acceptedOf(stage, stamp, bundle, { roles: ["Storage", "Compute"] });
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(created), 201);

  const listed = expectStatus(await supportCase.engineer.call("GET", `${supportCase.path}/bundles`), 200);
  const { value } = z.object({ value: z.array(z.object({ completeness: completenessShape })) }).parse(listed.json);
  const shown = value[0]?.completeness;
  expect(shown?.verdict).toBe("incomplete");
  expect(shown?.findings.map(({ code }) => code).sort()).toEqual([
    "CollectionFailed",
    "PartMissing",
    "RoleMissing",
    "StampContradicted",
  ]);
  expect(shown?.suggestedCommand).toContain("-FilterByRole Compute -");
  expect(shown?.roles).toMatchObject([
    { role: "Storage", files: 2, bytes: 3 },
    { role: "other", files: 5 },
  ]);
  expect(JSON.stringify(shown)).not.toContain(mark);
  expect(listed.text).not.toMatch(/NODE01|\.log/);

  const own = expectStatus(await stamp.call("GET", stamp.bundlePath(created.bundleId)), 200).json;
  const { completeness } = z.object({ completeness: completenessShape }).parse(own);
  expect(completeness.findings).toContainEqual(
    expect.objectContaining({ code: "CollectionFailed", detail: expect.stringContaining(mark) }),
  );
  expect((await stage.events(stamp.partition)).map(({ type }) => type)).not.toContain("bundle.listed");
});

test("[invariant 9] a finding of an inventory from before messages were free of content shows an engineer its code alone", async () => {
  const stage = stages();
  const { supportCase, bundle, stamp } = await lentBundle(stage, zip);
  const day = stage.blobs.getContainerClient(`bundles-${bundle.createdOn.slice(0, 10).replaceAll("-", "")}`);
  const blob = day.getBlockBlobClient(`${bundle.stampId}/${bundle.bundleId}.inventory`);
  const record = z.looseObject({}).parse(JSON.parse((await blob.downloadToBuffer()).toString()));
  const old = JSON.stringify({
    ...record,
    version: 1,
    completeness: { verdict: "incomplete", findings: [{ code: "PartMissing", message: "Part 2 of Zmarkz" }] },
  });
  await blob.upload(old, Buffer.byteLength(old));
  const listed = expectStatus(await supportCase.engineer.call("GET", `${supportCase.path}/bundles`), 200);
  expect(listed.json).toMatchObject({ value: [{ completeness: { findings: [{ code: "PartMissing" }] } }] });
  expect(listed.text).not.toContain("Zmarkz");
  expect((await stamp.call("GET", stamp.bundlePath(bundle.bundleId))).text).toContain("Zmarkz");
});
