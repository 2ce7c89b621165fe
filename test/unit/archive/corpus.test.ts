import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ArchiveError } from "../../../shared/archive/source.ts";
import { zipVerdict } from "../../../shared/domain/zip.ts";
import { corpus } from "./support/corpus.ts";
import { contentOf, counted, inventoryOf, zipOf } from "./support/zips.ts";

/** Whatever a zip says: a warning or a refusal, no more bytes read than it has, and none of it written anywhere but under its name. */

const isSafe = (path: string): boolean =>
  !/^([/\\]|[A-Za-z]:)|\p{Cc}/u.test(path) && !path.split(/[/\\]/).some((part) => part === ".." || part === ".");

describe.each(corpus)("$name", ({ bytes, warnings, unreadable = [] }) => {
  if (warnings === undefined) {
    it("is refused", async () => {
      await expect(inventoryOf(bytes)).rejects.toBeInstanceOf(ArchiveError);
      expect(zipVerdict({ head: bytes, tail: bytes, sizeBytes: bytes.length })).toMatchObject({ ok: false });
    });
    return;
  }

  it("ends as warnings, and every file that is listed is read as it was or refused", async () => {
    const inventory = await inventoryOf(bytes);
    expect(inventory.warnings).toEqual(Object.fromEntries(Object.entries(warnings).filter(([, times]) => times > 0)));
    expect(inventory.bytesRead).toBeLessThanOrEqual(bytes.length);
    expect(inventory.list.filter(({ path }) => !isSafe(path))).toEqual([]);
    const refused: string[] = [];
    for (const file of inventory.list.filter(({ isEncrypted }) => !isEncrypted)) {
      try {
        expect(await buffer(await contentOf(counted(bytes), inventory, file))).toHaveLength(file.sizeBytes);
      } catch (error) {
        if (!(error instanceof ArchiveError)) throw error;
        refused.push(file.path);
      }
    }
    expect(refused).toEqual(unreadable);
  });
});

const inner = await zipOf([
  { name: "NODE01/System.evtx", content: Buffer.alloc(700, "event") },
  { name: "plain.log", content: Buffer.from("plain"), compress: false },
]);
const valid = await Promise.all(
  [true, false].map((compress) =>
    zipOf([
      { name: "Storage-20270203040506.zip", content: inner, compress },
      { name: "Get-AzureStackLog_Output.log", content: Buffer.from("all well\n"), compress },
    ]),
  ),
);

/** Mostly near the end, where the directory is. */
const change = (length: number) =>
  fc.record({
    at: fc.oneof(fc.nat(length - 1), fc.integer({ min: Math.max(0, length - 300), max: length - 1 })),
    value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0xff)),
  });

const mutated = fc.constantFrom(...valid).chain((zip) =>
  fc
    .record({
      changes: fc.array(change(zip.length), { minLength: 1, maxLength: 6 }),
      cut: fc.option(fc.nat(zip.length)),
    })
    .map(({ changes, cut }) => {
      const bytes = Buffer.from(zip);
      for (const { at, value } of changes) bytes[at] = value;
      return cut === null ? bytes : bytes.subarray(0, cut);
    }),
);

test("whatever bytes of a zip are changed, it ends, as an inventory or an `ArchiveError`", {
  timeout: 60_000,
}, async () => {
  const orArchiveError = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
    }
  };
  await fc.assert(
    fc.asyncProperty(mutated, (bytes) =>
      orArchiveError(async () => {
        const inventory = await inventoryOf(bytes, 300);
        expect(inventory.bytesRead).toBeLessThanOrEqual(bytes.length);
        for (const file of inventory.list) {
          await orArchiveError(async () => {
            expect(await buffer(await contentOf(counted(bytes), inventory, file))).toHaveLength(file.sizeBytes);
          });
        }
      }),
    ),
    { numRuns: 1500 },
  );
});
