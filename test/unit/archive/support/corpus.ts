import { createHash, randomBytes } from "node:crypto";
import { constants, crc32, deflateRawSync } from "node:zlib";
import type { InventoryWarning } from "../../../../shared/domain/inventory.ts";
import { type RawEntry, rawZip, zip64Field } from "./rawZip.ts";

/** Zips that somebody made to harm, or that broke on their way; and what each is to end as. */

export type BadZip = {
  readonly name: string;
  readonly bytes: Buffer;
  /** What its inventory warns of; absent where there is no inventory because it is no zip. */
  readonly warnings?: Readonly<Partial<Record<InventoryWarning, number>>>;
  /** Listed and cannot be read. */
  readonly unreadable?: readonly string[];
};

const text = Buffer.from("all well\n");
const good: RawEntry = { name: "Reports/Cluster.log", data: text };

const deflated = (name: string, content: Buffer, changes: Partial<RawEntry> = {}): RawEntry => ({
  name,
  data: deflateRawSync(content),
  method: 8,
  sizeBytes: content.length,
  crc32: crc32(content),
  ...changes,
});

const mebibyte = 1024 * 1024;

/** Raw deflate of `mebibytes` of zeros, a thousandth of their size. */
export function zeros(mebibytes: number): Buffer {
  const piece = deflateRawSync(Buffer.alloc(mebibyte), { finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat([...Array.from({ length: mebibytes }, () => piece), Buffer.from([3, 0])]);
}

const named = (...names: readonly (string | Buffer)[]): Buffer =>
  rawZip([good, ...names.map((name) => ({ name, data: text }))]);

const whole = rawZip([good, deflated("a.log", Buffer.alloc(5000, "log"))]);

/** A zip with a directory much longer than its content, which several entries of the bundle claim as theirs. */
const longDirectory = rawZip(
  Array.from({ length: 500 }, (_, file) => ({ name: `NODE01/WinEvents/Operational-${file}.EVTX` })),
);

/** Names that hardly shrink, so that the zip may be inflated, and more of them than of an inflated zip is kept. */
const outOfReach = rawZip(
  Array.from({ length: 30_000 }, (_, file) => ({ name: createHash("sha512").update(String(file)).digest("hex") })),
);

const bomb = rawZip([{ name: "zeros.log", data: zeros(8), method: 8, sizeBytes: 8 * mebibyte, crc32: 0 }]);
const bombOfBombs = rawZip(
  Array.from({ length: 200 }, (_, index) => ({ ...deflated(`${index}.log`, Buffer.alloc(40_000)) })),
);

/** Shrinks to a twentieth. */
const grown = deflated("grown", Buffer.concat([randomBytes(mebibyte), Buffer.alloc(19 * mebibyte)]));

export const corpus: readonly BadZip[] = [
  { name: "a flat bomb", bytes: bomb, warnings: {}, unreadable: ["zeros.log"] },
  {
    name: "a nested bomb",
    bytes: rawZip([
      { name: "Storage-20270203040506.zip", data: zeros(64), method: 8, sizeBytes: 64 * mebibyte, crc32: 1 },
      deflated("Compute-20270203040506.zip", Buffer.concat([Buffer.alloc(4 * mebibyte), bombOfBombs])),
    ]),
    warnings: { roleZipTooLarge: 2 },
    unreadable: ["Storage-20270203040506.zip"],
  },
  {
    name: "a nested bomb that says to be small",
    bytes: rawZip([{ name: "Storage-20270203040506.zip", data: zeros(64), method: 8, sizeBytes: 1000 }]),
    warnings: { roleZipTooLarge: 1 },
    unreadable: ["Storage-20270203040506.zip"],
  },
  {
    name: "many zips that each grow as much as one may",
    bytes: rawZip(
      Array.from({ length: 9 }, (_, part) => ({ ...grown, name: `Storage-part${part + 2}-20270203040506.zip` })),
    ),
    warnings: { damagedRoleZip: 8, skippedRoleZip: 1 },
  },
  {
    name: "entries that share their bytes",
    bytes: rawZip([good, ...[1, 2, 3].map((copy) => ({ ...good, name: `copy-${copy}.log`, headerOffset: 0 }))]),
    warnings: { overlappingEntries: 3 },
  },
  {
    name: "role zips that share their bytes",
    bytes: rawZip([
      { name: "Storage-20270203040506.zip", data: longDirectory },
      ...Array.from({ length: 20 }, (_, copy) => ({
        name: `Storage-part${copy + 2}-20270203040506.zip`,
        headerOffset: 0,
        crc32: crc32(longDirectory),
        sizeBytes: longDirectory.length,
        compressedBytes: longDirectory.length,
      })),
    ]),
    warnings: { overlappingEntries: 20, tooMuchReading: 20 },
  },
  {
    name: "deflated role zips that share their bytes",
    bytes: (() => {
      const first = deflated("Storage-20270203040506.zip", longDirectory);
      const copies = [2, 3].map((part) => ({
        ...first,
        name: `Storage-part${part}-20270203040506.zip`,
        headerOffset: 0,
      }));
      return rawZip([first, ...copies]);
    })(),
    warnings: { overlappingEntries: 2, skippedRoleZip: 2 },
  },
  {
    name: "a deflated role zip whose directory is longer than what is kept of it",
    bytes: rawZip([deflated("Storage-20270203040506.zip", outOfReach)]),
    warnings: { skippedRoleZip: 1 },
  },
  {
    name: "paths that lead out of their folder",
    bytes: named("../evil.log", "a/../../evil.log", "..\\evil.log", "a/./b.log", "a/.."),
    warnings: { unsafePath: 5 },
  },
  {
    name: "absolute and drive paths",
    bytes: named("/etc/passwd", "\\\\server\\share", "C:/Windows/x", "c:x"),
    warnings: { unsafePath: 4 },
  },
  {
    name: "names that are no text",
    bytes: named(Buffer.from([0x61, 0xff, 0xfe]), "a\u0000.log", "a\nb.log", "", "x".repeat(2000)),
    warnings: { invalidName: 5 },
  },
  {
    name: "symbolic links",
    bytes: rawZip([good, { name: "link", data: Buffer.from("/etc/passwd"), mode: 0o120777 }]),
    warnings: { symbolicLink: 1 },
  },
  {
    name: "encrypted entries",
    bytes: rawZip([good, { name: "secret.log", data: text, flags: 0x801 }]),
    warnings: { encryptedEntry: 1 },
  },
  {
    name: "an encrypted role zip",
    bytes: rawZip([good, { name: "Storage-20270203040506.zip", data: whole, flags: 0x801 }]),
    warnings: { encryptedEntry: 1, skippedRoleZip: 1 },
  },
  {
    name: "the same name again",
    bytes: rawZip([good, { ...good, data: Buffer.from("another") }]),
    warnings: { duplicatePath: 1 },
  },
  {
    name: "sizes that no file has",
    bytes: rawZip([
      good,
      {
        name: "huge.log",
        sizeBytes: 0xffffffff,
        compressedBytes: 0xffffffff,
        extra: zip64Field(2n ** 60n, 2n ** 60n),
      },
    ]),
    warnings: { impossibleSize: 1, overlappingEntries: 0 },
  },
  {
    name: "zip64 sizes beyond its end",
    bytes: rawZip([
      good,
      {
        name: "huge.log",
        sizeBytes: 0xffffffff,
        compressedBytes: 0xffffffff,
        extra: zip64Field(2n ** 40n, 2n ** 40n),
      },
    ]),
    warnings: {},
    unreadable: ["huge.log"],
  },
  {
    name: "a zip64 field that is cut short",
    bytes: rawZip([good, { name: "huge.log", sizeBytes: 0xffffffff, extra: zip64Field() }]),
    warnings: { damagedDirectory: 1 },
  },
  { name: "the end cut off", bytes: whole.subarray(0, -30) },
  { name: "the beginning cut off", bytes: whole.subarray(50) },
  { name: "a directory that is elsewhere", bytes: rawZip([good], { directoryOffset: 1 }) },
  { name: "a directory beyond the file", bytes: rawZip([good], { directoryOffset: 2 ** 40 }) },
  {
    name: "a directory that counts fewer than it holds",
    bytes: rawZip([good, { name: "hidden.log", data: text }], { entries: 1 }),
    warnings: { damagedDirectory: 1 },
  },
  {
    name: "a directory that counts more than it holds",
    bytes: rawZip([good], { entries: 3 }),
    warnings: { damagedDirectory: 1 },
  },
  {
    name: "an end record inside a comment",
    bytes: rawZip([good], { comment: rawZip([{ name: "other.log", data: text }]) }),
  },
  {
    name: "an entry that is not where it should be",
    bytes: rawZip([good, { ...good, name: "elsewhere.log", headerOffset: 7 }]),
    warnings: { overlappingEntries: 1 },
    unreadable: ["elsewhere.log"],
  },
  {
    name: "a role zip that is no zip, and one cut short",
    bytes: rawZip([
      { name: "Storage-20270203040506.zip", data: text },
      { name: "Compute-20270203040506.zip", data: whole.subarray(0, -9) },
      deflated("SQL-20270203040506.zip", text),
      { name: "Network-20270203040506.zip", data: text, method: 8, sizeBytes: 5000 },
    ]),
    warnings: { damagedRoleZip: 4 },
    unreadable: ["Network-20270203040506.zip"],
  },
  {
    name: "a wrong CRC",
    bytes: rawZip([good, { name: "a.log", data: text, crc32: 7 }, deflated("b.log", text, { crc32: 7 })]),
    warnings: {},
    unreadable: ["a.log", "b.log"],
  },
  {
    name: "compressed bytes that are none",
    bytes: rawZip([good, { name: "a.log", data: Buffer.alloc(900, 0xff), method: 8, sizeBytes: 5000 }]),
    warnings: {},
    unreadable: ["a.log"],
  },
  {
    name: "a method that nobody reads",
    bytes: rawZip([good, { name: "a.log", data: text, method: 14 }]),
    warnings: {},
    unreadable: ["a.log"],
  },
  {
    name: "an entry that unpacks to more than it says, and one to less",
    bytes: rawZip([
      deflated("more.log", Buffer.alloc(5000), { sizeBytes: 4999 }),
      deflated("less.log", Buffer.alloc(5000), { sizeBytes: 5001 }),
    ]),
    warnings: {},
    unreadable: ["less.log", "more.log"],
  },
];
