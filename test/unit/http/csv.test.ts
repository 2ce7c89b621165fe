import { describe, expect, test } from "vitest";
import { csv, toResponse } from "../../../shared/http/answer.ts";
import { csvOf, wantsCsv } from "../../../shared/http/csv.ts";

describe("a table as CSV", () => {
  test("has lines of RFC 4180, and quotes what holds a comma, a quote or a break", () => {
    expect(
      csvOf([
        ["day", "bundles"],
        ["20261122", 3],
      ]),
    ).toBe("day,bundles\r\n20261122,3\r\n");
    expect(csvOf([['a "b", c', "line\nbreak"]])).toBe('"a ""b"", c","line\nbreak"\r\n');
  });

  test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "|calc", "%x"])(
    "has %j quoted, which a spreadsheet would run as a formula",
    (formula) => {
      expect(csvOf([[formula]]).replace(/^"/, "")).toMatch(/^'/);
    },
  );

  test("leaves numbers as they are, negative ones too", () => {
    expect(csvOf([[-1, 0, 2.5]])).toBe("-1,0,2.5\r\n");
  });

  test("is an answer of its media type, with an ETag", () => {
    const { status, headers, body } = toResponse(csv([["a"]]), String);
    expect({ status, body }).toEqual({ status: 200, body: "a\r\n" });
    expect(headers).toMatchObject({ "content-type": expect.stringMatching(/^text\/csv/), etag: expect.any(String) });
  });
});

describe("CSV is for who asks for it", () => {
  test.each([
    ["csv", undefined, true],
    ["csv", "application/json", true],
    ["json", "text/csv", false],
    [undefined, undefined, false],
    [undefined, "*/*", false],
    [undefined, "text/html", false],
    [undefined, "text/*", false],
    [undefined, "text/csv", true],
    [undefined, "Text/CSV; header=present; q=0.9, */*;q=0.1", true],
    [undefined, "application/json, text/csv", false],
    [undefined, "application/json;q=0.5, text/csv", true],
    [undefined, "application/*, text/csv;q=0.9", false],
    [undefined, "text/csv;q=0", false],
    [undefined, "text/csv;q=much", false],
  ] as const)("format %j, Accept %j: %j", (format, accept, wanted) => {
    expect(wantsCsv(format, accept)).toBe(wanted);
  });
});
