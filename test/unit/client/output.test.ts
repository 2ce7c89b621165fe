import { expect, test } from "vitest";
import { duration, size, table, time } from "../../../client/output.ts";
import { uploadLine } from "../../../client/progress.ts";

test.each([
  [999, "999 bytes"],
  [1_000, "1.0 KB"],
  [41_300_000, "41.3 MB"],
  [512_000_000, "512 MB"],
  [2_100_000_000, "2.1 GB"],
])("%d bytes are said as %s", (bytes, said) => {
  expect(size(bytes)).toBe(said);
});

test.each([
  [0.4, "1 s"],
  [59, "59 s"],
  [61, "2 min"],
  [4_800, "1 h 20 min"],
])("%d seconds are said as %s", (seconds, said) => {
  expect(duration(seconds)).toBe(said);
});

test("times are said in UTC", () => {
  expect(time("2026-11-01T12:34:56.789Z")).toBe("2026-11-01 12:34 UTC");
});

test("columns are as wide as their widest cell", () => {
  expect(
    table(
      ["a", "b"],
      [
        ["long", "x"],
        ["s", "y"],
      ],
    ),
  ).toEqual(["a     b", "long  x", "s     y"]);
});

test("an upload's line shows the share, the size, the rate and the time left", () => {
  const progress = {
    phase: "uploading",
    totalBytes: 40_000_000,
    doneBytes: 10_000_000,
    sentBytes: 10_000_000,
  } as const;
  expect(uploadLine(progress, 5_000_000, 8)).toBe("[██░░░░░░]  25 %  10.0 MB of 40.0 MB  5.0 MB/s  6 s left");
  expect(uploadLine(progress, 0, 0)).toBe(" 25 %  10.0 MB of 40.0 MB");
});
