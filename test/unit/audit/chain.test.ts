import { describe, expect, it } from "vitest";
import { verifyChain } from "../../../audit/chain.ts";
import { utcTime } from "../../../shared/api/primitives.ts";
import { chain, chainStart, type NewEvent, theService } from "../../../shared/domain/event.ts";

const on = utcTime.parse("2026-11-23T10:00:00.000Z");
const happened = (count: number): NewEvent[] =>
  Array.from({ length: count }, (_, index) => ({ type: "bundle.created", actor: theService, data: { index } }));
const stamp = chain("stamps/a", chainStart, on, happened(3));
const service = chain("service", chainStart, on, happened(2));

const places = async (events: Iterable<unknown>) =>
  (await verifyChain(events)).problems.map(({ code, partition, seq, index }) => ({ code, partition, seq, index }));

describe("a whole ledger", () => {
  it("has no problem, and tells where each chain ends", async () => {
    const verdict = await verifyChain([...stamp, ...service]);
    expect(verdict.problems).toEqual([]);
    expect(verdict.events).toBe(5);
    expect([...verdict.heads]).toEqual([
      ["stamps/a", { seq: 3, hash: stamp[2]?.hash }],
      ["service", { seq: 2, hash: service[1]?.hash }],
    ]);
  });

  it("may come as a stream, with its partitions mixed", async () => {
    const [first, ...rest] = stamp;
    async function* mixed() {
      yield* [first, ...service, ...rest];
    }
    expect((await verifyChain(mixed())).problems).toEqual([]);
  });

  it("may be empty", async () => {
    expect(await verifyChain([])).toEqual({ problems: [], events: 0, heads: new Map() });
  });
});

describe("what is wrong is told by its code and place", () => {
  const [first, second, third] = stamp;

  it("a seq that is left out", async () => {
    expect(await places([first, third])).toEqual([
      { code: "SeqGap", partition: "stamps/a", seq: 3, index: 1 },
      { code: "WrongPrevHash", partition: "stamps/a", seq: 3, index: 1 },
    ]);
  });

  it("a chain that does not begin with 64 zeros", async () => {
    const later = chain("stamps/a", { seq: 0, hash: "1".repeat(64) }, on, happened(1));
    expect(await places(later)).toEqual([{ code: "WrongPrevHash", partition: "stamps/a", seq: 1, index: 0 }]);
  });

  it("an event that was altered, once and only there", async () => {
    const altered = { ...second, on: "2026-11-23T10:00:01.000Z" };
    expect(await places([first, altered, third])).toEqual([
      { code: "WrongHash", partition: "stamps/a", seq: 2, index: 1 },
    ]);
  });

  it("an event that was altered and hashed anew", async () => {
    const [forged] = chain("stamps/a", { seq: 1, hash: first?.hash ?? "" }, on, [
      { type: "bundle.purged", actor: theService, data: {} },
    ]);
    expect(await places([first, forged, third])).toEqual([
      { code: "WrongPrevHash", partition: "stamps/a", seq: 3, index: 2 },
    ]);
  });

  it.each([
    ["a field more", { ...second, note: "nothing" }],
    ["a fact more", { ...second, data: { ...second?.data, more: 1 } }],
    ["a fact by the name of __proto__", { ...second, data: JSON.parse('{"index":1,"__proto__":{"purged":true}}') }],
    ["a field by the name of __proto__", { ...second, ...JSON.parse('{"__proto__":{"purged":true}}') }],
    ["text that is no Unicode", { ...second, data: { index: "\ud800" } }],
  ])("%s", async (_, altered) => {
    expect(await places([first, altered, third])).toContainEqual({
      code: "WrongHash",
      partition: "stamps/a",
      seq: 2,
      index: 1,
    });
  });

  it.each([
    ["nothing", undefined, undefined, undefined],
    ["a word", "event", undefined, undefined],
    ["a list", [], undefined, undefined],
    ["an event of no partition", { ...second, partition: undefined }, undefined, 2],
    ["an event whose seq is a word", { ...second, seq: "2" }, "stamps/a", undefined],
    ["an event with an upper-case hash", { ...second, hash: second?.hash.toUpperCase() }, "stamps/a", 2],
    ["an event without actor", { ...second, actor: undefined }, "stamps/a", 2],
  ])("%s in the place of an event", async (_, given, partition, seq) => {
    expect(await places([first, given, third])).toContainEqual({ code: "Malformed", partition, seq, index: 1 });
  });
});
