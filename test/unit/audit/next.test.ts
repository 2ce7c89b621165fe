import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { readJson } from "../../../audit/canonical.ts";
import { anEvent, type Head } from "../../../audit/chain.ts";
import { glanceAt } from "../../../audit/next.ts";
import { utcTime } from "../../../shared/api/primitives.ts";
import { chain, chainStart, theService } from "../../../shared/domain/event.ts";

/** [invariant 10] What passes at a glance is what the long way finds nothing wrong with; what the service writes does pass. */

const partition = "stamps/7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10";
const on = utcTime.parse("2026-11-23T10:00:00.000Z");
const before: Head = { seq: 41, hash: "ab".repeat(32) };
const glance = (line: string, at: string = partition) => glanceAt(at)(Buffer.from(line), before);

/** The line of an event with this as its data, hashed over whatever stands there. */
function lineWith(data: string, { actor = '{"id":"a","kind":"stamp"}', place = partition, seq = "42" } = {}): string {
  const start = `{"actor":${actor},"data":${data},`;
  const end = `"on":"${on}","partition":"${place}","prevHash":"${before.hash}","seq":${seq},"type":"bundle.created"}`;
  return `${start}"hash":"${hex(start + end)}",${end}`;
}
const hex = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("at a glance passes", () => {
  it("what the service writes, one after the other", () => {
    const facts = { stampId: "7f1c", sizeBytes: 4_000_000_000, isLate: false, isFirst: true, none: [], empty: "" };
    const events = chain(partition, chainStart, on, [
      { type: "bundle.created", actor: theService, data: { ...facts, purposes: ["troubleshooting", "productHealth"] } },
      { type: "bundle.accepted", actor: { kind: "stamp", id: "~ !#[]{}," }, data: {} },
    ]);
    let head: Head = { seq: 0, hash: "0".repeat(64) };
    for (const event of events) {
      const line = Buffer.from(canonicalize(event) ?? "");
      expect(glanceAt(partition)(line, head)).toBe(event.hash);
      head = event;
    }
  });

  it.each([
    "{}",
    '{"a":0}',
    '{"a":1,"aa":2,"b":3}',
    '{"":1}',
    '{"10":1,"9":2}',
    '{"hash":"x"}',
    '{"a":123456789012345}',
  ])("data such as %s", (data) => expect(glance(lineWith(data))).toMatch(/^[0-9a-f]{64}$/));
});

describe("at a glance never passes, hashed as it stands,", () => {
  it.each([
    ["space", '{"a": 1}'],
    ["names in another order", '{"b":1,"a":2}'],
    ["a longer name before its beginning", '{"aa":1,"a":2}'],
    ["a name twice", '{"a":1,"a":1}'],
    ["a number written long", '{"a":1.0}'],
    ["a leading zero", '{"a":01}'],
    ["a minus zero", '{"a":-0}'],
    ["a number of more digits than are exact", '{"a":9007199254740993}'],
    ["a needless escape", '{"a":"\\u0041"}'],
    ["a raw control character", '{"a":"\t"}'],
    ["no value", '{"a":}'],
    ["no name", "{,}"],
    ["a list left open", '{"a":["b"}'],
    ["a list with a hole", '{"a":["b",]}'],
    ["another word", '{"a":trueish}'],
    ["no object", "[]"],
    ["two objects", "{}{}"],
    ["a second type", '{},"type":"x","z":{}'],
  ])("%s", (_, data) => {
    expect(glance(lineWith(data))).toBeUndefined();
  });

  it("an event that stands elsewhere", () => {
    expect(glance(lineWith("{}"))).toBeDefined();
    expect(glance(lineWith("{}", { seq: "43" }))).toBeUndefined();
    expect(glance(lineWith("{}", { seq: "42.0" }))).toBeUndefined();
    expect(glance(lineWith("{}", { place: "service" }))).toBeUndefined();
    expect(glance(lineWith("{}", { actor: '{"kind":"stamp","id":"a"}' }))).toBeUndefined();
    expect(glance(`${lineWith("{}")} `)).toBeUndefined();
    expect(glance(lineWith("{}").slice(0, -1))).toBeUndefined();
  });

  it("a partition whose name, put into the line as it is, says more than a name", () => {
    const place = `x","prevHash":"${before.hash}","partition":"x`;
    expect(glance(lineWith("{}", { place }), place)).toBeUndefined();
  });

  it("a line of more bytes than any event has", () => {
    expect(glance(lineWith(`{"a":"${"x".repeat(70_000)}"}`))).toBeUndefined();
  });
});

const plain = fc.string({ unit: fc.constantFrom(..."ab:,{}[]0 ~") });
const fact = fc.oneof(plain, fc.nat(), fc.boolean(), fc.array(plain, { maxLength: 3 }), fc.double(), fc.constant(null));
const data = fc.dictionary(plain, fact, { maxKeys: 5 });
const inserted = fc.constantFrom(
  ...' ",:{}[]0-.e\\tfnu\u0000\u007fé'.split(""),
  "true",
  '"a":1,',
  ',"a":1',
  "[]",
  "{}",
);

test("whatever is done to data and hashed anew passes only where it is canonical and an event", () => {
  fc.assert(
    fc.property(data, fc.nat(), fc.nat(2), inserted, (value, at, removed, text) => {
      const form = canonicalize(JSON.parse(JSON.stringify(value))) ?? "";
      const line = lineWith(form.slice(0, at % form.length) + text + form.slice((at % form.length) + removed));
      if (glance(line) === undefined) return;
      const event = readJson(line);
      expect(canonicalize(event)).toBe(line);
      expect(anEvent.safeParse(event).success).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

test("any other byte at any place of a line is seen", () => {
  const line = Buffer.from(lineWith('{"bundleId":"b1","purposes":["troubleshooting"],"sizeBytes":4096}'));
  expect(glanceAt(partition)(line, before)).toBeDefined();
  for (const place of line.keys()) {
    for (const bit of [1, 2, 4, 8, 16, 32, 64, 128]) {
      const other = Buffer.from(line);
      other.writeUInt8(line.readUInt8(place) ^ bit, place);
      expect(glanceAt(partition)(other, before)).toBeUndefined();
    }
  }
});
