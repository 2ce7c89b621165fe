import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { entryContent } from "../../../shared/archive/content.ts";
import { openInventory } from "../../../shared/archive/inventory.ts";
import { contentOf, counted, inventoryOf, zipOf } from "./support/zips.ts";

const cluster = Buffer.from("cluster\n".repeat(500));
const events = randomBytes(20_000);
const storage = await zipOf([
  { name: "NODE01\\WinEvents\\System.EVTX", content: events },
  { name: "Reports/Cluster.log", content: cluster },
]);
const compute = await zipOf([{ name: "NODE02/Compute.log", content: cluster, compress: false }]);

const bundleOf = (compress: boolean) =>
  zipOf([
    { name: "Storage-20270203040506.zip", content: storage, compress },
    { name: "Compute-part2-20270203040506.zip", content: compute, compress },
    { name: "Get-AzureStackLog_Output.log", content: Buffer.from("all well\n") },
  ]);

const expectedPaths = [
  "Compute-part2-20270203040506.zip",
  "Compute-part2-20270203040506.zip/NODE02/Compute.log",
  "Get-AzureStackLog_Output.log",
  "Storage-20270203040506.zip",
  "Storage-20270203040506.zip/NODE01/WinEvents/System.EVTX",
  "Storage-20270203040506.zip/Reports/Cluster.log",
];

describe.each([
  ["stored", false],
  ["deflated", true],
])("a bundle whose role zips are %s", (_how, compress) => {
  it.each([1, 37, 1000, 1_000_000])("is listed whole when it comes in pieces of %i bytes", async (pieceBytes) => {
    const { list, warnings, zips, contents } = await inventoryOf(await bundleOf(compress), pieceBytes);
    expect(contents).toMatchObject([
      { role: "Compute", files: 1, bytes: cluster.length },
      { role: "Storage", files: 2, bytes: events.length + cluster.length },
      { role: "other", files: 1, bytes: 9 },
    ]);
    expect(list.map(({ path }) => path)).toEqual(expectedPaths);
    expect(warnings).toEqual({});
    expect(
      zips.map(({ role, part }) => ({ role, part })).sort((a, b) => (a.role ?? "").localeCompare(b.role ?? "")),
    ).toEqual([
      { role: "Compute", part: 2 },
      { role: "Storage", part: undefined },
    ]);
    const [, , , , system] = list;
    expect(system).toMatchObject({
      sizeBytes: events.length,
      role: "Storage",
      modifiedOn: expect.stringContaining("2027-02-03T"),
    });
  });

  it("gives each file's content as it was", async () => {
    const bundle = counted(await bundleOf(compress));
    const inventory = await inventoryOf(await bundleOf(compress));
    const contents = new Map(
      await Promise.all(
        inventory.list.map(
          async (file) => [file.path, await buffer(await contentOf(bundle, inventory, file))] as const,
        ),
      ),
    );
    expect(contents.get("Storage-20270203040506.zip/NODE01/WinEvents/System.EVTX")).toEqual(events);
    expect(contents.get("Storage-20270203040506.zip/Reports/Cluster.log")).toEqual(cluster);
    expect(contents.get("Compute-part2-20270203040506.zip/NODE02/Compute.log")).toEqual(cluster);
    expect(contents.get("Storage-20270203040506.zip")).toEqual(storage);
  });
});

it("reads no more of a bundle with stored role zips than its directories and end records, and a tenth", async () => {
  const names = (role: string) =>
    Array.from({ length: 200 }, (_, file) => `NODE01/${role}/WinEvents/Operational-${file}.EVTX`);
  const roles = ["Storage", "Compute", "Network"];
  const zips = await Promise.all(
    roles.map(async (role) => ({
      name: `${role}-20270203040506.zip`,
      content: await zipOf(names(role).map((name) => ({ name, content: randomBytes(500) }))),
      compress: false,
    })),
  );
  const bundle = counted(await zipOf(zips));
  const taking = await openInventory(bundle);
  const inventory = await taking.finish();
  expect(inventory.files).toBe(603);
  const directories = roles.flatMap(names).reduce((sum, role) => sum + 46 + role.length + 9, 0);
  expect(bundle.bytesRead()).toBeLessThan(directories * 1.1);
});

it.each([1, 37, 1_000_000])(
  "keeps what a collection writes about itself as it goes by in pieces of %i bytes, and reads no byte twice",
  async (pieceBytes) => {
    const log = Buffer.from("PS>TerminatingError\n".repeat(40));
    const bytes = await zipOf([
      { name: "Storage-20270203040506.zip", content: storage },
      { name: "Get-AzureStackLog_Output.log", content: log },
      { name: "AzureStackStampInformation.json", content: Buffer.from("{}"), compress: false },
      { name: "elsewhere/Get-AzureStackLog_Output.log", content: Buffer.from("another") },
    ]);
    const file = counted(bytes);
    const taking = await openInventory(file);
    for (let at = 0; at < bytes.length; at += pieceBytes) await taking.take(at, bytes.subarray(at, at + pieceBytes));
    const { beside } = await taking.finish();
    expect(
      await Promise.all(
        [beside.log, beside.stampInformation].map(
          async (entry) => entry && (await buffer(await entryContent(taking.bundle, entry))),
        ),
      ),
    ).toEqual([log, Buffer.from("{}")]);
    expect(file.bytesRead()).toBe(taking.kept.bytes.length);
  },
);
