import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ZipFile } from "yazl";
import { type ZipRule, zipTailBytes, zipVerdict } from "../../../shared/domain/zip.ts";

type Shape = { entries: { name: string; content: Uint8Array }[]; compress: boolean; zip64: boolean; comment: string };

async function makeZip({ entries, compress, zip64, comment }: Shape): Promise<Buffer> {
  const zip = new ZipFile();
  for (const { name, content } of entries) {
    zip.addBuffer(Buffer.from(content), name, { compress, forceZip64Format: zip64 });
  }
  zip.end({ forceZip64Format: zip64, comment });
  return buffer(zip.outputStream);
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  entries: fc
    .uniqueArray(fc.stringMatching(/^[a-z]{1,12}\.evtx$/), { minLength: 1, maxLength: 8 })
    .chain((names) =>
      fc.tuple(
        ...names.map((name) => fc.record({ name: fc.constant(name), content: fc.uint8Array({ maxLength: 400 }) })),
      ),
    ),
  compress: fc.boolean(),
  zip64: fc.boolean(),
  comment: fc.stringMatching(/^[a-zA-Z ]{0,40}$/),
});

/** What the service sees of a file: both ends, never the middle. */
const ends = (file: Uint8Array, tailBytes = zipTailBytes) => ({
  head: file.subarray(0, 4096),
  tail: file.subarray(Math.max(0, file.length - tailBytes)),
  sizeBytes: file.length,
});
const ruleOf = (file: Uint8Array, tailBytes?: number): ZipRule | "none" => {
  const verdict = zipVerdict(ends(file, tailBytes));
  return verdict.ok ? "none" : verdict.rule;
};

const one = { entries: [{ name: "Cluster.log", content: new Uint8Array(500).fill(7) }], compress: false, comment: "" };
const plain = await makeZip({ ...one, zip64: false });
const large = await makeZip({ ...one, zip64: true });

/** The same zip with bytes of its end record (or, counted from its own start, of another record) overwritten. */
const patched = (zip: Buffer, at: number, ...bytes: number[]): Buffer => {
  const copy = Buffer.from(zip);
  copy.set(bytes, at);
  return copy;
};
const endOf = (zip: Buffer) => zip.length - 22;
const locatorOf = (zip: Buffer) => endOf(zip) - 20;
const record64Of = (zip: Buffer) => locatorOf(zip) - 56;

describe("a whole zip", () => {
  it("is accepted with its number of entries, plain or zip64, stored or compressed, with or without comment", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        expect(zipVerdict(ends(await makeZip(shape)))).toEqual({ ok: true, entries: shape.entries.length });
      }),
      { numRuns: 100 },
    );
  });

  it("is accepted with the longest comment that a zip can have", async () => {
    expect(zipVerdict(ends(await makeZip({ ...one, zip64: true, comment: "c".repeat(0xffff) })))).toMatchObject({
      ok: true,
    });
  });

  it("is accepted where it holds nothing, plain or zip64, with or without comment", async () => {
    for (const zip64 of [false, true]) {
      for (const comment of ["", "Nothing was collected."]) {
        const nothing = await makeZip({ entries: [], compress: false, zip64, comment });
        expect(zipVerdict(ends(nothing))).toEqual({ ok: true, entries: 0 });
      }
    }
  });

  it("is accepted when its directory begins before the bytes that were kept", async () => {
    const entries = Array.from({ length: 60 }, (_, n) => ({
      name: `Storage-part${n}.zip`,
      content: new Uint8Array(1),
    }));
    const zip = await makeZip({ ...one, entries, zip64: false });
    expect(zipVerdict(ends(zip, 1_000))).toEqual({ ok: true, entries: 60 });
  });

  it("is accepted with exactly 65,535 entries and no zip64 record", () => {
    const entries = 0xffff;
    const head = Buffer.from([0x50, 0x4b, 3, 4, ...Array(60).fill(0)]);
    const directory = Buffer.alloc(entries * 46);
    directory.set([0x50, 0x4b, 1, 2]);
    const end = Buffer.alloc(22);
    end.set([0x50, 0x4b, 5, 6]);
    end.writeUInt16LE(entries, 8);
    end.writeUInt16LE(entries, 10);
    end.writeUInt32LE(directory.length, 12);
    end.writeUInt32LE(head.length, 16);
    expect(zipVerdict(ends(Buffer.concat([head, directory, end])))).toEqual({ ok: true, entries });
  });
});

describe("a damaged zip", () => {
  it("is refused however much is missing at its end", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (shape, share) => {
        const zip = await makeZip(shape);
        expect(zipVerdict(ends(zip.subarray(0, Math.floor(zip.length * share)))).ok).toBe(false);
      }),
    );
  });

  it("is refused when it was cut off right behind a zip that it holds", async () => {
    const content = await makeZip({ ...one, zip64: false });
    const entries = [{ name: "Storage-20180505055532.zip", content }, ...one.entries];
    const zip = await makeZip({ ...one, entries, zip64: false });
    const cut = zip.subarray(0, zip.indexOf(content) + content.length);
    expect(ruleOf(cut)).toBe("directoryInPlace");
    expect(ruleOf(cut, 50)).toBe("directoryInPlace");
  });

  it("is refused with bytes missing or added in front", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.integer({ min: 1, max: 300 }), async (shape, count) => {
        const zip = await makeZip(shape);
        expect(zipVerdict(ends(zip.subarray(count))).ok).toBe(false);
        expect(zipVerdict(ends(Buffer.concat([zip.subarray(0, 4), Buffer.alloc(count), zip.subarray(4)]))).ok).toBe(
          false,
        );
      }),
    );
  });

  it("is refused with bytes added behind", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.uint8Array({ minLength: 1, maxLength: 300 }), async (shape, more) => {
        expect(zipVerdict(ends(Buffer.concat([await makeZip(shape), more]))).ok).toBe(false);
      }),
    );
  });
});

describe("anything else", () => {
  it("is refused with a sentence and without throwing, whatever its bytes are", () => {
    const anyEnds = fc.record({ head: fc.uint8Array(), tail: fc.uint8Array(), sizeBytes: fc.nat() });
    const zipLike = fc.tuple(fc.uint8Array(), fc.uint8Array()).map(([before, after]) => {
      const file = Buffer.concat([Buffer.from("PK\x03\x04"), before, large.subarray(record64Of(large)), after]);
      return ends(file);
    });
    fc.assert(
      fc.property(fc.oneof(anyEnds, zipLike), (file) => {
        const verdict = zipVerdict(file);
        expect(verdict.ok).toBe(false);
        if (!verdict.ok) expect(verdict.message).toMatch(/\.$/);
      }),
    );
  });

  it.each<[string, ZipRule, Buffer]>([
    ["no bytes at all", "empty", Buffer.alloc(0)],
    ["text", "startsWithAnEntry", Buffer.from("PS>TerminatingError")],
    ["an end that was cut off from its zip", "directoryInPlace", plain.subarray(endOf(plain))],
    ["a start and nothing else", "endOfDirectoryPresent", Buffer.from("PK\x03\x04")],
    ["a zip cut inside its end", "endOfDirectoryPresent", plain.subarray(0, -1)],
    ["a zip with a byte behind it", "endsWithTheFile", Buffer.concat([plain, Buffer.alloc(1)])],
    ["a comment that is cut short", "endsWithTheFile", patched(plain, endOf(plain) + 20, 9)],
    ["one disk of several", "singleDisk", patched(plain, endOf(plain) + 4, 1)],
    ["a directory on another disk", "singleDisk", patched(plain, endOf(plain) + 6, 1)],
    ["entries on another disk", "singleDisk", patched(plain, endOf(plain) + 8, 0)],
    ["no entries counted", "countsItsEntries", patched(plain, endOf(plain) + 8, 0, 0, 0, 0)],
    ["a directory behind its end", "directoryInPlace", patched(plain, endOf(plain) + 12, 0, 1)],
    ["more entries than the directory holds", "directoryHoldsEntries", patched(plain, endOf(plain) + 8, 9, 0, 9, 0)],
    ["a directory that is elsewhere", "directoryInPlace", patched(plain, endOf(plain) + 16, 1, 0)],
    ["a directory that does not start", "directoryInPlace", patched(plain, plain.readUInt32LE(endOf(plain) + 16), 0)],
    [
      "a zip64 offset without its record",
      "zip64DirectoryPresent",
      patched(plain, endOf(plain) + 16, 255, 255, 255, 255),
    ],
    ["a zip64 size without its record", "zip64DirectoryPresent", patched(plain, endOf(plain) + 12, 255, 255, 255, 255)],
    ["a zip64 locator that points elsewhere", "zip64DirectoryPresent", patched(large, locatorOf(large) + 8, 0)],
    ["a zip64 record beyond the file", "zip64DirectoryPresent", patched(large, locatorOf(large) + 12, 1)],
    ["a zip64 record that is none", "zip64DirectoryPresent", patched(large, record64Of(large), 0)],
    ["a zip64 locator of several disks", "singleDisk", patched(large, locatorOf(large) + 16, 2)],
    ["a zip64 record on another disk", "singleDisk", patched(large, record64Of(large) + 16, 1)],
    ["a zip64 directory behind its record", "directoryInPlace", patched(large, record64Of(large) + 55, 1)],
    ["no zip64 entries counted", "countsItsEntries", patched(large, record64Of(large) + 24, ...Array(16).fill(0))],
  ])("%s breaks the rule %s", (_, rule, file) => {
    expect(ruleOf(file)).toBe(rule);
  });

  it("breaks a rule when the zip64 record lies before the bytes that were kept", () => {
    expect(ruleOf(large, 50)).toBe("zip64DirectoryPresent");
  });
});
