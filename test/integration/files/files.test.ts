import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { zipOf } from "../../unit/archive/support/zips.ts";
import { blobsIn } from "../operations/support/bundles.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";

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

async function lentBundle(stage: Stage, zip: Buffer, grantChanges: Readonly<Record<string, unknown>> = {}) {
  const stamp = await stage.registeredStamp();
  const created = await stamp.createBundle({ sizeBytes: zip.byteLength });
  await stamp.upload(created, zip);
  expectStatus(await stamp.submit(created.bundleId, zip), 202);
  await stage.verify(created);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(created), 201);
  const grant = await supportCase.grant([created], grantChanges);
  const path = supportCase.linkPath(created);
  const call = (verb: string, route: string, body?: unknown, query = {}) =>
    supportCase.engineer.call(verb, `${path}${route}`, body, { query });
  return { stamp, supportCase, grant, bundle: created, call };
}

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
    expect(accesses).toMatchObject({ value: [{ bundleId: bundle.bundleId, path }] });
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
