import canonicalize from "canonicalize";
import fc from "fast-check";
import { expect, test } from "vitest";
import { verifyChain } from "../../../audit/chain.ts";
import { type UtcTime, utcTime } from "../../../shared/api/primitives.ts";
import { type ChainedEvent, chain, chainStart, eventTypes, type NewEvent } from "../../../shared/domain/event.ts";

/** Ledgers of several partitions as the service writes them, and whatever can be done to one: none of it passes unseen. */

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const fact = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.array(text),
);
const newEvent: fc.Arbitrary<NewEvent> = fc.record({
  type: fc.constantFrom(...eventTypes),
  actor: fc.record({ kind: fc.constantFrom("stamp", "person", "service"), id: text }),
  data: fc.dictionary(text, fact, { maxKeys: 4 }),
});
const time: fc.Arbitrary<UtcTime> = fc
  .date({ min: new Date("2026-01-01"), max: new Date("2027-01-01"), noInvalidDate: true })
  .map((date) => utcTime.parse(date.toISOString()));

const partition = (name: string) =>
  fc
    .array(fc.tuple(time, fc.array(newEvent, { minLength: 1, maxLength: 3 })), { minLength: 1, maxLength: 3 })
    .map((commits) => {
      const events: ChainedEvent[] = [];
      for (const [on, changes] of commits) events.push(...chain(name, events.at(-1) ?? chainStart, on, changes));
      return events;
    });
const ledger = fc
  .tuple(
    partition("cases/2211280040006230"),
    partition("service"),
    partition("stamps/7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10"),
  )
  .map((partitions) => partitions.flat());

/** A ledger and a place in it. */
const ledgerAt = ledger.chain((events) => fc.tuple(fc.constant(events), fc.nat(events.length - 1)));
const isSame = (one: unknown, other: unknown) => canonicalize(one) === canonicalize(other);
const problems = async (events: Iterable<unknown>) => (await verifyChain(events)).problems;

/** The events in another order, each partition's in its own. */
function mixed(events: readonly ChainedEvent[], picks: readonly number[]): unknown[] {
  const queues = [...Map.groupBy(events, (event) => event.partition).values()];
  return picks.flatMap((pick) => queues[pick % queues.length]?.splice(0, 1) ?? []).concat(queues.flat());
}

test("what the service writes has no problem, however its partitions are mixed and however it travels", async () => {
  await fc.assert(
    fc.asyncProperty(ledger, fc.array(fc.nat()), async (events, picks) => {
      const received: unknown[] = JSON.parse(JSON.stringify(mixed(events, picks)));
      expect(received).toHaveLength(events.length);
      expect(await problems(received)).toEqual([]);
    }),
  );
});

type Path = readonly (string | number)[];

/** Every place of a JSON value, those of its leaves and those of what holds them. */
function paths(value: unknown): Path[] {
  if (typeof value !== "object" || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, inner]) => paths(inner).map((path) => [key, ...path]))];
}

/** The value with something else at that place; left out where that is undefined. */
function altered(value: unknown, [key, ...rest]: Path, to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value))
    return value.map((inner, index) => (String(index) === String(key) ? altered(inner, rest, to) : inner));
  const entries = Object.entries(Object(value)).map(([name, inner]) => [
    name,
    name === key ? altered(inner, rest, to) : inner,
  ]);
  return Object.fromEntries(entries);
}

test("any alteration of any field of any event is found", async () => {
  await fc.assert(
    fc.asyncProperty(
      ledgerAt,
      fc.nat(),
      fc.option(fc.jsonValue({ maxDepth: 1 }), { nil: undefined }),
      async ([events, at], which, to) => {
        const event = events[at];
        const places = paths(event).filter((path) => path.length > 0);
        const wrong: unknown = JSON.parse(JSON.stringify(altered(event, places[which % places.length] ?? [], to)));
        fc.pre(!isSame(wrong, event));
        const found = await problems([...events.slice(0, at), wrong, ...events.slice(at + 1)]);
        expect(found.map(({ index }) => index)).toContain(at);
      },
    ),
    { numRuns: 1000 },
  );
});

test("an event that was altered and hashed anew is found where the chain goes on", async () => {
  await fc.assert(
    fc.asyncProperty(ledgerAt, newEvent, async ([events, at], other) => {
      const event = events[at];
      fc.pre(event !== undefined && events.slice(at + 1).some((later) => later.partition === event.partition));
      if (event === undefined) return;
      const forged = chain(event.partition, { seq: event.seq - 1, hash: event.prevHash }, event.on, [other]);
      fc.pre(!isSame(forged, [event]));
      expect(await problems(events.toSpliced(at, 1, ...forged))).not.toEqual([]);
    }),
  );
});

test("an event that is missing is found where the chain goes on", async () => {
  await fc.assert(
    fc.asyncProperty(ledgerAt, async ([events, at]) => {
      const event = events[at];
      fc.pre(events.slice(at + 1).some((later) => later.partition === event?.partition));
      const found = await problems(events.toSpliced(at, 1));
      expect(found).toContainEqual(
        expect.objectContaining({ code: "SeqGap", partition: event?.partition, seq: (event?.seq ?? 0) + 1 }),
      );
    }),
  );
});

test("an event that was inserted, be it a copy, another partition's or one well chained, is found", async () => {
  await fc.assert(
    fc.asyncProperty(ledgerAt, fc.nat(), newEvent, async ([events, at], from, fresh) => {
      const before = events[at];
      if (before === undefined) return;
      const copy = events[from % events.length];
      const chained = chain(before.partition, { seq: before.seq - 1, hash: before.prevHash }, before.on, [fresh]);
      for (const inserted of [copy, ...chained]) {
        expect(await problems(events.toSpliced(at, 0, ...(inserted === undefined ? [] : [inserted])))).not.toEqual([]);
      }
    }),
  );
});

test("events of one partition in another order are found", async () => {
  await fc.assert(
    fc.asyncProperty(ledgerAt, fc.nat(), async ([events, one], which) => {
      const others = [...events.keys()].filter(
        (index) => index !== one && events[index]?.partition === events[one]?.partition,
      );
      const other = others[which % others.length];
      const [first, second] = [events[one], events[other ?? one]];
      fc.pre(first !== undefined && second !== undefined && first !== second);
      if (first === undefined || second === undefined || other === undefined) return;
      expect(await problems(events.with(one, second).with(other, first))).not.toEqual([]);
    }),
  );
});
