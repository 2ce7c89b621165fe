import { randomBytes } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { zeros } from "../../unit/archive/support/corpus.ts";
import { rawZip } from "../../unit/archive/support/rawZip.ts";
import { zipOf } from "../../unit/archive/support/zips.ts";
import { blobsIn, committedIn } from "../operations/support/bundles.ts";
import { useStages } from "../operations/support/stage.ts";
import { lentBundle } from "./support.ts";

/** What is in a bundle, and one file of it, to an engineer who may read it. */

const stages = useStages();

const events = randomBytes(40_000);
const storage = await zipOf([
  { name: "NODE01/WinEvents/System.EVTX", content: events },
  { name: "Reports/Cluster.log", content: Buffer.from("cluster\n".repeat(3000)) },
]);
const contents = (compress: boolean) =>
  zipOf([
    { name: "Storage-20270203040506.zip", content: storage, compress },
    { name: "Get-AzureStackLog_Output.log", content: Buffer.from("all well\n") },
  ]);

const fileList = z.object({ value: z.array(z.object({ path: z.string() })), nextLink: z.string().optional() });
const extracted = z.object({ status: z.literal("Succeeded"), url: z.string(), sizeBytes: z.number() });

describe.each([
  ["stored", false],
  ["deflated", true],
])("a bundle whose role zip is %s", (_how, compress) => {
  test("shows its files, gives one of them, and tells the customer which", async () => {
    const stage = stages();
    const zip = await contents(compress);
    const { stamp, call, bundle } = await lentBundle(stage, zip);
    const listed = fileList.parse(expectStatus(await call("GET", "/files"), 200).json);
    expect(listed.value.map(({ path }) => path)).toEqual([
      "Get-AzureStackLog_Output.log",
      "Storage-20270203040506.zip",
      "Storage-20270203040506.zip/NODE01/WinEvents/System.EVTX",
      "Storage-20270203040506.zip/Reports/Cluster.log",
    ]);
    const path = "Storage-20270203040506.zip/NODE01/WinEvents/System.EVTX";
    const file = extracted.parse(expectStatus(await call("POST", "/files:extract", { path }), 200).json);
    expect(Buffer.from(await (await fetch(file.url)).arrayBuffer())).toEqual(events);
    const accesses = expectStatus(await stamp.call("GET", `/stamps/${stamp.stampId}/accesses`), 200).json;
    const { bundleId } = bundle;
    expect(accesses).toMatchObject({
      value: [
        { kind: "read", bundleId, path },
        { kind: "list", bundleId },
      ],
    });
  });

  test("pages through its files and by prefix", async () => {
    const { call } = await lentBundle(stages(), await contents(compress));
    const first = fileList.parse(expectStatus(await call("GET", "/files", undefined, { top: "3" }), 200).json);
    expect(first.value).toHaveLength(3);
    expect(first.nextLink).toBeDefined();
    const prefix = "Storage-20270203040506.zip/R";
    const found = fileList.parse(expectStatus(await call("GET", "/files", undefined, { prefix }), 200).json);
    expect(found.value.map((each) => each.path)).toEqual(["Storage-20270203040506.zip/Reports/Cluster.log"]);
  });
});

test("[invariant 6] a bundle of many ranges is read in their order, with a deflated zip to look into on the way", async () => {
  const stage = stages();
  const inner = await zipOf([{ name: "NODE01/large.bin", content: randomBytes(30_000_000), compress: false }]);
  const zip = await zipOf([{ name: "Storage-20270203040506.zip", content: inner }]);
  const { call } = await lentBundle(stage, zip);
  const listed = fileList.parse(expectStatus(await call("GET", "/files"), 200).json);
  expect(listed.value.map(({ path }) => path)).toEqual([
    "Storage-20270203040506.zip",
    "Storage-20270203040506.zip/NODE01/large.bin",
  ]);
  expect(stage.logged.filter((line) => line.includes("verification.failed"))).toEqual([]);
});

test("a path that is not there is 404, whatever it tries", async () => {
  const { call } = await lentBundle(stages(), await contents(false));
  for (const path of ["nothing.log", "../../etc/passwd", "Storage-20270203040506.zip/../x", "/", "C:/x"]) {
    expectRefusal(await call("POST", "/files:extract", { path }), 404, "NotFound");
  }
});

test("a grant of a role lends its files, and neither others nor the whole", async () => {
  const { call, supportCase, grant, bundle } = await lentBundle(stages(), await contents(false), {
    roles: ["Storage"],
  });
  const path = "Storage-20270203040506.zip/Reports/Cluster.log";
  expectStatus(await call("POST", "/files:extract", { path }), 200);
  const other = { path: "Get-AzureStackLog_Output.log" };
  expectRefusal(await call("POST", "/files:extract", other), 403, "RoleNotGranted");
  expectRefusal(await supportCase.issueUrl(grant.grantId, bundle), 403, "RoleNotGranted");
});

test("[invariant 3] what was taken out goes with the bundle", async () => {
  const stage = stages({ settings: { ERASE_DELAY_HOURS: "0" } });
  const { call, stamp, bundle } = await lentBundle(stage, await contents(false));
  expectStatus(await call("POST", "/files:extract", { path: "Get-AzureStackLog_Output.log" }), 200);
  expect((await blobsIn(stage)).filter((name) => name.startsWith("lent-"))).toHaveLength(1);
  const why = { decidedBy: "operator", reason: "sent by mistake" };
  expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundle.bundleId)}:erase`, why), 202);
  expect(await blobsIn(stage)).toEqual([]);
});

test("a page that no nextLink named is refused, also one inside a line", async () => {
  const { call } = await lentBundle(stages(), await contents(false));
  for (const place of ["7", "NaN", "-1", "1e3"]) {
    const skipToken = Buffer.from(place).toString("base64url");
    expectRefusal(await call("GET", "/files", undefined, { skipToken }), 400, "InvalidParameter");
  }
  const skipToken = Buffer.from("999999").toString("base64url");
  expect(expectStatus(await call("GET", "/files", undefined, { skipToken }), 200).json).toEqual({ value: [] });
});

test("a second ask is served from what the first took out", async () => {
  const stage = stages();
  const { extract } = await lentBundle(stage, await contents(false));
  expectStatus(await extract("Get-AzureStackLog_Output.log"), 200);
  const { result, calls } = await stage.faults.watching(() => extract("Get-AzureStackLog_Output.log"));
  expectStatus(result, 200);
  const ofBundle = calls.filter(
    ({ method, path }) => method === "GET" && /bundles-\d{8}\/[^/]+\/[0-9a-f-]+$/.test(path),
  );
  expect(ofBundle).toEqual([]);
});

test("a lent file is saved under a harmless name, as a file that no browser shows", async () => {
  const zip = rawZip([
    { name: "NODE01/System.EVTX", data: Buffer.from("events") },
    { name: "NODE01/report\u202efdp.docm", data: Buffer.from("macro") },
    { name: "NODE01/LPT1.log", data: Buffer.from("printer") },
  ]);
  const { extract } = await lentBundle(stages(), zip);
  const savedAs = async (path: string) => {
    const { url } = extracted.parse(expectStatus(await extract(path), 200).json);
    const { headers } = await fetch(url);
    expect(headers.get("content-type")).toBe("application/octet-stream");
    return headers.get("content-disposition");
  };
  expect(await savedAs("NODE01/System.EVTX")).toBe('attachment; filename="System.EVTX"');
  expect(await savedAs("NODE01/report\u202efdp.docm")).toBe('attachment; filename="report_fdp.docm.txt"');
  expect(await savedAs("NODE01/LPT1.log")).toBe('attachment; filename="_LPT1.log"');
});

test("a damaged file is 409, whether its CRC is wrong or its bytes cannot be inflated, and leaves nothing behind", async () => {
  const stage = stages();
  const long = randomBytes(9 * 1024 * 1024);
  const data = deflateRawSync(long, { level: 0 });
  const said = { method: 8, sizeBytes: long.length, crc32: crc32(long) };
  const broken = Buffer.from(data);
  // In the header of a block in its second half, when the first blocks are on their way.
  broken.fill(0xff, 6 * 1024 * 1024);
  const zip = rawZip([
    { name: "good.log", data, ...said },
    { name: "crc.log", data, ...said, crc32: 1 },
    { name: "stored.log", data: Buffer.from("short"), crc32: 2 },
    { name: "zlib.log", data: broken, ...said },
    { name: "cut.log", data: data.subarray(0, 5 * 1024 * 1024), ...said },
    { name: "secret.log", data: Buffer.from("x"), flags: 0x801 },
    { name: "other.log", data: Buffer.from("x"), method: 14 },
  ]);
  const { extract } = await lentBundle(stage, zip);
  for (const name of ["crc.log", "stored.log", "zlib.log", "cut.log", "secret.log", "other.log"]) {
    expectRefusal(await extract(name), 409, "UnreadableFile");
  }
  const lent = async () => (await blobsIn(stage)).filter((name) => name.startsWith("lent-"));
  // Blocks that were not committed are no blob that anybody can read, and go with their container.
  const readable = async () => (await committedIn(stage)).filter((name) => name.startsWith("lent-"));
  expect(await readable()).toEqual([]);
  expectStatus(await extract("good.log"), 200);
  expect(await readable()).toHaveLength(1);
  expect((await lent()).length).toBeGreaterThan(0);
});

test("a hostile zip is accepted with findings, which its stamp and the engineer see", async () => {
  const stage = stages();
  const zip = rawZip([
    { name: "../evil.log", data: Buffer.from("evil") },
    { name: "link", data: Buffer.from("/etc/passwd"), mode: 0o120777 },
    { name: "Storage-20270203040506.zip", data: zeros(64), method: 8, sizeBytes: 64 * 1024 * 1024 },
  ]);
  const { stamp, bundle, call, extract, supportCase } = await lentBundle(stage, zip);
  const expected = {
    verdict: "incomplete",
    findings: expect.arrayContaining([
      expect.objectContaining({ code: "UnsafePath" }),
      expect.objectContaining({ code: "SymbolicLink" }),
      expect.objectContaining({ code: "RoleZipDamaged" }),
    ]),
  };
  const seen = expectStatus(await stamp.call("GET", stamp.bundlePath(bundle.bundleId)), 200).json;
  expect(seen).toMatchObject({ state: "accepted", completeness: expected });
  const ofCase = `${supportCase.path}/bundles`;
  const listed = expectStatus(await supportCase.engineer.call("GET", ofCase), 200).json;
  expect(listed).toMatchObject({ value: [{ completeness: expected }] });
  for (const role of ["A", "C"] as const) {
    const person = await stage.person(role);
    for (const path of [ofCase, stamp.bundlePath(bundle.bundleId)]) {
      expect((await person.call("GET", path)).text).not.toContain("completeness");
    }
  }
  const { value } = fileList.parse(expectStatus(await call("GET", "/files"), 200).json);
  expect(value.map(({ path }) => path)).toEqual(["Storage-20270203040506.zip"]);
  for (const path of ["../evil.log", "link"]) expectRefusal(await extract(path), 404, "NotFound");
  expectRefusal(await extract(""), 400, "InvalidBody");
});
