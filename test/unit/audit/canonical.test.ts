import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { formWithoutHash, readJson } from "../../../audit/canonical.ts";

const hash = "ab".repeat(32);
const json = fc.jsonValue({ stringUnit: "grapheme" });
const event = fc.dictionary(fc.string({ unit: "grapheme" }), json).map((fields) => ({ ...fields, hash }));
const formOf = (value: object): string => canonicalize(value) ?? "";

/** A number too big to be one has no form. */
function formOrNone(value: unknown): string | undefined {
  try {
    return canonicalize(value);
  } catch {
    return undefined;
  }
}

/** What a line's form without its hash is, made anew. */
const slowly = (value: object) => formOf(Object.fromEntries(Object.entries(value).filter(([name]) => name !== "hash")));

const read = (line: string) => formWithoutHash(line, readJson(line));

test("the form without the hash is the one made anew, whatever the event holds", () => {
  fc.assert(
    fc.property(event, (value) => {
      expect(read(formOf(value))).toBe(slowly(JSON.parse(formOf(value))));
    }),
    { numRuns: 2000 },
  );
});

test("any line that is not the form of its value has none", () => {
  fc.assert(
    fc.property(event, fc.nat(), fc.constantFrom(" ", "\t", ","), (value, at, inserted) => {
      const line = formOf(value);
      // Between characters: half of one is none.
      const characters = [...line];
      const other = characters.toSpliced(at % (characters.length + 1), 0, inserted).join("");
      const parsed = readJson(other);
      fc.pre(parsed !== undefined && formOrNone(parsed) !== other);
      expect(read(other)).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});

describe("a line that is not canonical", () => {
  it.each([
    ["names in another order", `{"hash":"${hash}","a":1}`],
    ["a name twice", `{"a":1,"a":1,"hash":"${hash}","z":1}`],
    ["the hash twice", `{"hash":"${hash}","hash":"${hash}","z":1}`],
    ["numbers as names, by value", `{"9":1,"10":1,"hash":"${hash}","z":1}`],
    ["a number written long", `{"a":1.0,"hash":"${hash}","z":1}`],
    ["a minus zero", `{"a":-0,"hash":"${hash}","z":1}`],
    ["a needless escape", `{"a":"\\u0041","hash":"${hash}","z":1}`],
    ["a lone surrogate", `{"a":"\\ud800","hash":"${hash}","z":1}`],
    ["space at the end", `{"a":1,"hash":"${hash}","z":1} `],
  ])("has no form: %s", (_, line) => {
    expect(read(line)).toBeUndefined();
  });

  it("is told from one that is: numbers as names, by their characters", () => {
    expect(read(`{"10":1,"9":1,"hash":"${hash}","z":{"hash":"${hash}","y":1}}`)).toBe(
      `{"10":1,"9":1,"z":{"hash":"${hash}","y":1}}`,
    );
  });
});
