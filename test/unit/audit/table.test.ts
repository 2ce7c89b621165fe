import { describe, expect, it } from "vitest";
import { alignedLines, csvLines } from "../../../audit/table.ts";

describe("a table for people", () => {
  it("has its columns one under the other, numbers at the right", () => {
    expect(
      alignedLines([
        ["Day", "bytes"],
        ["2026-11-23", 12],
        ["x", 123456],
      ]),
    ).toEqual(["Day         bytes", "----------  ------", "2026-11-23      12", "x           123456"]);
  });
});

describe("comma-separated values", () => {
  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|cmd", "%x"])(
    "quote what a spreadsheet would run, such as %j, with '",
    (text) => {
      expect(csvLines([[text]])[0]?.replace(/^"/, "")).toMatch(/^'/);
    },
  );

  it("leave what is none, numbers too", () => {
    expect(csvLines([["a", -1, "a=1", "2026-11-23T10:00:00Z"]])).toEqual(["a,-1,a=1,2026-11-23T10:00:00Z"]);
  });

  it("enclose commas, quotes and line breaks (RFC 4180)", () => {
    expect(csvLines([["1 accepted, 2 purged", 'a "b"', "a\nb"]])).toEqual(['"1 accepted, 2 purged","a ""b""","a\nb"']);
  });
});
