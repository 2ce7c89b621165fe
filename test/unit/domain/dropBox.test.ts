import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dropBoxId } from "../../../shared/api/primitives.ts";
import { bundleRecord } from "../../../shared/domain/bundle.ts";
import {
  type ArrivedFile,
  bundleIdOf,
  contentTypeOf,
  expiryOf,
  fileNameOf,
  isZip,
  quietOn,
  reasonToClose,
  refusalOf,
  secondsToNextTurn,
  senderOf,
  takesArrivals,
  takesFiles,
} from "../../../shared/domain/dropBox.ts";
import { asStamp, isCompromised, senderRecord } from "../../../shared/domain/sender.ts";
import { aBundle, aDropBox, aStamp, at, createdOn, id, on } from "./support/records.ts";

const aFile = (changes: Partial<ArrivedFile> = {}): ArrivedFile => ({
  path: "AzureStackLogs-20240927104305/Storage-20180505055532.zip",
  etag: "0x1",
  sizeBytes: 4096,
  writtenOn: at(createdOn),
  readable: true,
  addressable: true,
  ...changes,
});
const limits = { maxBundleBytes: 10_000, maxDropBoxFiles: 3, isInTime: true };
const box = (n: number) => dropBoxId.parse(id(n));
const sender = (n: number) => senderOf(box(n));
const hours = (n: number) => new Date(Date.parse(createdOn) + n * 3_600_000);

describe("a file of a drop box", () => {
  it("becomes a bundle", () => expect(refusalOf(aFile(), 2, limits)).toBeUndefined());

  it.each([
    ["UnusableName", aFile({ addressable: false, sizeBytes: 0 }), 0, limits],
    ["EmptyFile", aFile({ sizeBytes: 0 }), 0, limits],
    ["UnusableBlob", aFile({ readable: false }), 0, limits],
    ["FileTooLarge", aFile({ sizeBytes: 10_001 }), 0, limits],
    ["TooLate", aFile(), 0, { ...limits, isInTime: false }],
    ["TooManyFiles", aFile(), 3, limits],
  ] as const)("is refused, %s", (code, file, taken, within) => expect(refusalOf(file, taken, within)).toBe(code));

  it("is a zip by its name, in any capitals", () => {
    expect(["a.zip", "b/A.ZIP"].every((path) => isZip({ path }))).toBe(true);
    expect(["a.zip.log", "zip", "a_zip"].some((path) => isZip({ path }))).toBe(false);
  });

  it("has the type that its name says", () => {
    expect(["x/a.ZIP", "b.log", "c.json", "d.evtx", "zip", "e."].map(contentTypeOf)).toEqual([
      "application/zip",
      "text/plain",
      "application/json",
      "application/octet-stream",
      "application/octet-stream",
      "application/octet-stream",
    ]);
  });

  it("is one bundle in each version, whenever it is asked for", () => {
    const ids = [
      bundleIdOf(sender(1), aFile()),
      bundleIdOf(sender(2), aFile()),
      bundleIdOf(sender(1), aFile({ etag: "0x2" })),
      bundleIdOf(sender(1), aFile({ path: "other.zip" })),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(bundleIdOf(sender(1), aFile())).toBe(ids[0]);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe("a drop box that is closing", () => {
  const closing = { on: createdOn, reason: "requested" };
  const minutes = (n: number) => new Date(Date.parse(createdOn) + n * 60_000);

  it("takes what arrives for a quarter of an hour, and all that its first look finds, however late that is", () => {
    const seen = aDropBox({ state: "closing", closing, listedOn: createdOn });
    expect(takesArrivals(seen, minutes(14.9))).toBe(true);
    expect(takesArrivals(seen, minutes(15))).toBe(false);
    expect(takesArrivals(aDropBox({ state: "closing", closing }), minutes(5000))).toBe(true);
    const emptied = { files: 0, bytes: 0, refused: [] };
    expect(takesArrivals(aDropBox({ state: "closing", closing, emptied }), minutes(1))).toBe(false);
  });

  it("is looked at less often the longer it takes", () => {
    const box = aDropBox({ state: "closing", closing });
    expect([0, 1, 2, 10].map((n) => secondsToNextTurn(box, minutes(n)))).toEqual([3, 6, 12, 30]);
  });
});

describe("the sender of a drop box", () => {
  it("is the same for one box, another for each, and never an id that somebody chose", () => {
    expect(sender(1)).toBe(sender(1));
    expect(sender(1)).not.toBe(sender(2));
    expect(sender(1)).not.toBe(box(1));
    // A stored row depends on it: a changed derivation would lose every box.
    expect(sender(1)).toBe("25725cdb-345f-8b64-8b82-6d847ea43d5a");
  });
});

describe("a file's name", () => {
  it.each([
    ["AzureStackLogs-1/Storage.zip", "AzureStackLogs-1_Storage.zip"],
    ['a\\b:c*d?e"f<g>h|i', "a_b_c_d_e_f_g_h_i"],
    ["line\u0000break\u0085", "line_break_"],
    ["..", "_"],
    ["./..", "._.."],
    ["\ud800.zip", "\ufffd.zip"],
  ])("%j is %j", (path, name) => expect(fileNameOf(path)).toBe(name));

  it("is one that the contract allows, whatever the path", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 1100 }), (path) => {
        const name = fileNameOf(path);
        expect(name.length).toBeGreaterThan(0);
        expect(name.length).toBeLessThanOrEqual(1024);
        expect(name.isWellFormed()).toBe(true);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
        expect(name).not.toMatch(/[/\\":*?<>|\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });
});

describe("an open drop box", () => {
  it("is over when its hours are, or when its day is to be deleted", () => {
    const purgeOn = on("2026-11-24T00:00:00.000Z");
    expect(expiryOf(at(createdOn), 1, purgeOn)).toBe("2026-11-23T11:00:00.000Z");
    expect(expiryOf(at(createdOn), 72, purgeOn)).toBe(purgeOn);
  });

  it("closes after 24 hours in which nothing was written, and not a moment before", () => {
    expect(reasonToClose(aDropBox(), undefined, new Date(hours(24).getTime() - 1))).toBeUndefined();
    expect(reasonToClose(aDropBox(), undefined, hours(24))).toBe("quiet");
    expect(reasonToClose(aDropBox(), hours(10), hours(33))).toBeUndefined();
    expect(reasonToClose(aDropBox(), hours(10), hours(34))).toBe("quiet");
  });

  it("closes when its time is over, however busy it is", () => {
    expect(reasonToClose(aDropBox(), hours(71.9), hours(72))).toBe("expired");
    expect(quietOn(aDropBox(), hours(71.9))).toEqual(hours(72));
  });

  it("does not count a write from before it was opened", () =>
    expect(quietOn(aDropBox(), hours(-10))).toEqual(hours(24)));

  it("gives URLs until then, and none once it closes", () => {
    expect(takesFiles(aDropBox(), hours(71))).toBe(true);
    expect(takesFiles(aDropBox(), hours(72))).toBe(false);
    expect(takesFiles(aDropBox({ state: "closing" }), hours(1))).toBe(false);
  });
});

describe("a sender", () => {
  it("is a stamp where its row is from before there were drop boxes", () => {
    const { kind: _kind, ...old } = aStamp();
    expect(senderRecord.parse(old)).toEqual(aStamp());
    expect(asStamp(senderRecord.parse(old))).toBeDefined();
  });

  it("is a drop box where it says so, and then no stamp", () => {
    const box = senderRecord.parse(aDropBox());
    expect(box.kind).toBe("dropBox");
    expect(asStamp(box)).toBeUndefined();
    expect(isCompromised(box)).toBe(false);
  });

  it("is compromised only as a stamp", () => {
    expect(isCompromised(aStamp({ state: "disabled", disabledReason: "compromised" }))).toBe(true);
    expect(isCompromised(aStamp({ state: "disabled", disabledReason: "lost" }))).toBe(false);
  });
});

describe("a bundle's row", () => {
  it("may say nothing of the logs' time and the stamp's version where it came by a drop box", () => {
    const { logsFrom: _from, logsTo: _to, stampVersion: _version, ...rest } = aBundle({ state: "submitted" });
    expect(bundleRecord.safeParse({ ...rest, mode: "dropBox" }).success).toBe(true);
  });
});
