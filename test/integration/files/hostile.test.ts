import { randomBytes, randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { crc32, deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ZipFile } from "yazl";
import { z } from "zod";
import { extraction } from "../../../shared/api/files.ts";
import { utcDay } from "../../../shared/domain/utcDay.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import type { Answer } from "../../support/system/http.ts";
import { zeros } from "../../unit/archive/support/corpus.ts";
import { rawZip } from "../../unit/archive/support/rawZip.ts";
import { zipOf } from "../../unit/archive/support/zips.ts";
import { blobsIn } from "../operations/support/bundles.ts";
import { useStages } from "../operations/support/stage.ts";
import { lentBundle } from "./support.ts";

/** Names, sizes and moments that a careless reader of zips gets wrong. */

const stages = useStages();

const fileList = z.object({
  value: z.array(z.object({ path: z.string(), sizeBytes: z.number() })),
  nextLink: z.string().optional(),
});

/** What the URL of an answer reads. */
async function readOf(answer: Answer): Promise<Buffer> {
  const { url = "" } = extraction.parse(expectStatus(answer, 200).json);
  const file = await fetch(url);
  expect(file.status).toBe(200);
  return Buffer.from(await file.arrayBuffer());
}

const oddNames = [
  "100%.log",
  "100%25.log",
  "a+b c.log",
  "a#b?c&d=e.log",
  'quoted".log',
  "line\u2028separator.log",
  "日本/ログ.log",
  "mood 😀.log",
  "e\u0301.log",
  "\u00e9.log",
  `${"long/".repeat(204)}.log`,
];
const prefixOfParts = "Storage-20270203040506.zip/";

describe.each([
  ["stored", false],
  ["deflated", true],
])("in a role zip that is %s", (_how, compress) => {
  const bundleWith = async (inner: Buffer) =>
    await zipOf([{ name: "Storage-20270203040506.zip", content: inner, compress }]);

  test("odd names are found by their prefix, and read by their path", async () => {
    const inner = await zipOf(oddNames.map((name) => ({ name, content: Buffer.from(name) })));
    const { call, extract } = await lentBundle(stages(), await bundleWith(inner));
    for (const name of oddNames) {
      const path = `${prefixOfParts}${name}`;
      const query = { prefix: path.slice(0, -4) };
      const { value } = fileList.parse(expectStatus(await call("GET", "/files", undefined, query), 200).json);
      expect(value.map((each) => each.path)).toContain(path);
      expect(value.every((each) => each.path.startsWith(query.prefix))).toBe(true);
      expect((await readOf(await extract(path))).toString()).toBe(name);
    }
  });

  test("pages of an odd prefix follow each other to its last file", async () => {
    const names = Array.from({ length: 5 }, (_, file) => `a%2Fb+c #d/${file}.log`);
    const inner = await zipOf(["a.log", ...names, "z.log"].map((name) => ({ name, content: Buffer.from(name) })));
    const { call, supportCase } = await lentBundle(stages(), await bundleWith(inner));
    const first = await call("GET", "/files", undefined, { prefix: `${prefixOfParts}a%2Fb+c #`, top: "2" });
    const seen: string[] = [];
    let page = fileList.parse(expectStatus(first, 200).json);
    seen.push(...page.value.map(({ path }) => path));
    while (page.nextLink !== undefined) {
      const { pathname, searchParams } = new URL(page.nextLink);
      const next = await supportCase.engineer.call("GET", pathname, undefined, {
        query: Object.fromEntries(searchParams),
      });
      page = fileList.parse(expectStatus(next, 200).json);
      seen.push(...page.value.map(({ path }) => path));
    }
    expect(seen).toEqual(names.map((name) => `${prefixOfParts}${name}`));
  });

  test("empty files are read as such, and folders are no files", async () => {
    const inner = rawZip([
      { name: "folder/" },
      { name: "folder/empty.log" },
      { name: "folder/deflated.log", data: deflateRawSync(Buffer.alloc(0)), method: 8, sizeBytes: 0, crc32: 0 },
      { name: "folder/last.log", data: Buffer.from("last") },
    ]);
    const { call, extract } = await lentBundle(stages(), await bundleWith(inner));
    const { value } = fileList.parse(expectStatus(await call("GET", "/files"), 200).json);
    expect(value.map(({ path }) => path.slice(prefixOfParts.length - 1))).toEqual([
      "",
      "/folder/deflated.log",
      "/folder/empty.log",
      "/folder/last.log",
    ]);
    for (const name of ["empty", "deflated"]) {
      expect(await readOf(await extract(`${prefixOfParts}folder/${name}.log`))).toHaveLength(0);
    }
    expect((await readOf(await extract(`${prefixOfParts}folder/last.log`))).toString()).toBe("last");
    for (const path of ["folder/", "folder", ""]) {
      expectRefusal(await extract(`${prefixOfParts}${path}`), 404, "NotFound");
    }
  });

  test("a zip64 one is read as any other", async () => {
    const content = randomBytes(70_000);
    const zip64 = new ZipFile();
    zip64.addBuffer(content, "NODE01/System.evtx", { forceZip64Format: true });
    zip64.addBuffer(content.subarray(1), "NODE01/Stored.evtx", { forceZip64Format: true, compress: false });
    zip64.end({ forceZip64Format: true, comment: "" });
    const { extract } = await lentBundle(stages(), await bundleWith(await buffer(zip64.outputStream)));
    expect(await readOf(await extract(`${prefixOfParts}NODE01/System.evtx`))).toEqual(content);
    expect(await readOf(await extract(`${prefixOfParts}NODE01/Stored.evtx`))).toEqual(content.subarray(1));
  });
});

const plain = await zipOf([{ name: "plain.log", content: Buffer.from("plain") }]);

test.each([
  ["a short file", 5_000, /\/lent-\d{8}\/.*[0-9a-f]{64}/],
  ["a file of several blocks", 9 * 1024 * 1024, /comp=blocklist/],
])("%s that two ask for at the same moment is given to both", async (_what, sizeBytes, lastWrite) => {
  const stage = stages();
  const content = randomBytes(sizeBytes);
  const { extract } = await lentBundle(stage, rawZip([{ name: "one.log", data: content }]));
  const hold = stage.faults.holdNext(
    ({ method, url }) => method === "PUT" && url.includes("/lent-") && lastWrite.test(url.replace(/&?sig=.*/, "")),
  );
  const first = extract("one.log");
  await hold.reached;
  expect((await readOf(await extract("one.log"))).equals(content)).toBe(true);
  hold.letGo();
  expect((await readOf(await first)).equals(content)).toBe(true);
});

const large = rawZip([{ name: "large.log", data: zeros(65), method: 8, sizeBytes: 65 * 1024 * 1024, crc32: 1 }]);

test("[invariant 3] an erasure while a large file is asked for leaves nothing of it", async () => {
  const stage = stages({ settings: { ERASE_DELAY_HOURS: "0" } });
  const { extract, erase } = await lentBundle(stage, large);
  const hold = stage.faults.holdNext(({ method, url }) => method === "PUT" && url.includes(".paths/"));
  const asking = extract("large.log");
  await hold.reached;
  expectStatus(await erase(), 202);
  hold.letGo();
  expectRefusal(await asking, 403, "PurgeDue");
  expect(await blobsIn(stage)).toEqual([]);
});

/** The bytes of the bundle itself. */
const ofBundle = ({ method, url }: { method: string; url: string }): boolean =>
  method === "GET" && /\/bundles-\d{8}\/[^/]+\/[0-9a-f-]{36}(\?|$)/.test(decodeURIComponent(url));

test("[invariant 3] an erasure while a file is read out of the bundle leaves nothing of it", async () => {
  const stage = stages({ settings: { ERASE_DELAY_HOURS: "0" } });
  const { extract, erase } = await lentBundle(stage, plain);
  const hold = stage.faults.holdNext(ofBundle);
  const extracting = extract("plain.log");
  await hold.reached;
  expectStatus(await erase(), 202);
  hold.letGo();
  expectRefusal(await extracting, 403, "PurgeDue");
  expect(await blobsIn(stage)).toEqual([]);
});

test("[invariant 3] an erasure while the queue reads a large file leaves nothing of it, and is no failure", async () => {
  const stage = stages({ settings: { ERASE_DELAY_HOURS: "0" } });
  const { extract, erase, bundle } = await lentBundle(stage, large);
  const { id } = extraction.parse(expectStatus(await extract("large.log"), 202).json);
  const { stampId, bundleId } = bundle;
  const hold = stage.faults.holdNext(ofBundle);
  const extracting = stage.app.queues.extract({ stampId, bundleId, digest: id, lentOn: utcDay(stage.now()) });
  await hold.reached;
  expectStatus(await erase(), 202);
  hold.letGo();
  await extracting;
  expect(await blobsIn(stage)).toEqual([]);
});

test("a file that says to unpack to more than a bundle may hold is not taken out", async () => {
  const stage = stages({ settings: { MAX_BUNDLE_BYTES: "1000000" } });
  const { extract } = await lentBundle(
    stage,
    rawZip([
      { name: "bomb.log", data: zeros(1), method: 8, sizeBytes: 1024 * 1024, crc32: crc32(Buffer.alloc(1024 * 1024)) },
      { name: "plain.log", data: Buffer.from("plain") },
    ]),
  );
  expectRefusal(await extract("bomb.log"), 409, "UnreadableFile");
  expect((await readOf(await extract("plain.log"))).toString()).toBe("plain");
  expect((await blobsIn(stage)).filter((name) => name.startsWith("lent-"))).toHaveLength(1);
});

test("[invariant 5] a file that is still being taken out is told of no more once the grant is revoked", async () => {
  const stage = stages();
  const { extract, call, supportCase, grant, bundle } = await lentBundle(stage, large);
  const { id } = extraction.parse(expectStatus(await extract("large.log"), 202).json);
  expect(expectStatus(await call("GET", `/extractions/${id}`), 200).json).toMatchObject({ status: "Running" });
  const grantPath = `${supportCase.path}/accessGrants/${grant.grantId}`;
  expectStatus(await supportCase.engineer.call("POST", `${grantPath}:revoke`), 200);
  const lentOn = utcDay(stage.now());
  await stage.app.queues.extract({ stampId: bundle.stampId, bundleId: bundle.bundleId, digest: id, lentOn });
  expectRefusal(await call("GET", `/extractions/${id}`), 403, "GrantNotActive");
  expectRefusal(await extract("large.log"), 403, "GrantNotActive");
});

test("what a try of yesterday ended in is not told of today's, and what was asked for before is gone", async () => {
  const stage = stages();
  const { extract, bundle, supportCase } = await lentBundle(stage, large);
  const { id } = extraction.parse(expectStatus(await extract("large.log"), 202).json);
  const message = { stampId: bundle.stampId, bundleId: bundle.bundleId, digest: id, lentOn: utcDay(stage.now()) };
  await stage.app.queues.extract(message);
  const onDay = async (offsetDays: number) => {
    const later = stage.another({ offsetDays });
    const engineer = await later.person("E", supportCase.engineer.oid);
    const grantPath = `${supportCase.path}/accessGrants/${randomUUID()}`;
    expectStatus(await engineer.call("PUT", grantPath, supportCase.grantRequest([bundle])), 201);
    const path = supportCase.linkPath(bundle);
    return {
      ask: () => engineer.call("POST", `${path}/files:extract`, { path: "large.log" }),
      poll: () => engineer.call("GET", `${path}/extractions/${id}`),
    };
  };
  const nextDay = await onDay(1);
  expect(expectStatus(await nextDay.poll(), 200).json).toMatchObject({ status: "Failed" });
  expectStatus(await nextDay.ask(), 202);
  expect(expectStatus(await nextDay.poll(), 200).json).toMatchObject({ status: "Running" });
  expectRefusal(await (await onDay(4)).poll(), 404, "NotFound");
});

test("of several grants the one that lends the file is used, whichever comes first", async () => {
  const stage = stages();
  const { supportCase, bundle, extract, grant } = await lentBundle(stage, plain);
  const { engineer } = supportCase;
  expectStatus(await engineer.call("POST", `${supportCase.path}/accessGrants/${grant.grantId}:revoke`), 200);
  const give = async (grantId: string, changes = {}) =>
    expectStatus(
      await engineer.call(
        "PUT",
        `${supportCase.path}/accessGrants/${grantId}`,
        supportCase.grantRequest([bundle], changes),
      ),
      201,
    );
  const [first, middle, last] = ["00000000", "77777777", "ffffffff"].map((start) => start + randomUUID().slice(8));
  await give(first ?? "", { roles: ["Compute"] });
  expectRefusal(await extract("plain.log"), 403, "RoleNotGranted");
  await give(middle ?? "");
  await give(last ?? "", { roles: ["Storage"] });
  expectStatus(await extract("plain.log"), 200);
  expectRefusal(await extract("plain.log", engineer, { grantId: first }), 403, "RoleNotGranted");
});
