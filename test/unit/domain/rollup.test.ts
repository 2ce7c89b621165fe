import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bundleState } from "../../../shared/api/bundles.ts";
import {
  chain,
  chainStart,
  type EventData,
  type EventType,
  type NewEvent,
  theService,
} from "../../../shared/domain/event.ts";
import { dayCounts, fold, inTotal, plus, plusByDay } from "../../../shared/domain/rollup.ts";
import { addDays, utcDaySchema } from "../../../shared/domain/utcDay.ts";
import { aDecisionId, on } from "./support/records.ts";

const time = on("2026-11-23T10:00:00.000Z");
const day = utcDaySchema.parse("20261123");
const said = (type: EventType, data: EventData): NewEvent => ({ type, actor: theService, data: { day, ...data } });
const created = said("bundle.created", { toState: "created", decisionId: aDecisionId, sizeBytes: 100 });
const moved = (type: EventType, fromState: string, toState: string, more: EventData = {}) =>
  said(type, { sizeBytes: 100, fromState, toState, ...more });
const submitted = moved("bundle.submitted", "created", "submitted");
const accepted = moved("bundle.accepted", "submitted", "accepted");
const chained = (events: readonly NewEvent[]) => chain("stamps/s", chainStart, time, events);
const counted = (...events: NewEvent[]) => inTotal(fold(chained(events)).counts);

describe("what events add to the counts of a bundle's day", () => {
  it("a created bundle is counted, and whether a decision covers it", () => {
    expect(counted(created)).toMatchObject({
      created: 1,
      covered: 1,
      bytesBegun: 100,
      byState: { created: 1 },
      bytesHeld: 0,
    });
    expect(counted(said("bundle.created", { toState: "created" }))).toMatchObject({ created: 1, covered: 0 });
  });

  it("a bundle is in one state at a time, and its bytes are held from submit on", () => {
    expect(counted(created, submitted)).toMatchObject({ byState: { submitted: 1 }, bytesHeld: 100 });
    expect(counted(created, submitted, accepted)).toMatchObject({ byState: { accepted: 1 }, bytesHeld: 100 });
  });

  it.each([
    [
      "purged by age",
      [submitted, accepted, moved("bundle.purged", "accepted", "purged", { basis: "age" })],
      "purged",
      "age",
    ],
    ["erased", [submitted, moved("bundle.purged", "submitted", "purged", { basis: "erasure" })], "purged", "erasure"],
    [
      "rejected",
      [
        submitted,
        moved("bundle.rejected", "submitted", "rejected"),
        moved("bundle.purged", "rejected", "rejected", { basis: "rejected" }),
      ],
      "rejected",
      "rejected",
    ],
    [
      "canceled",
      [
        moved("bundle.canceled", "created", "canceled"),
        moved("bundle.purged", "canceled", "canceled", { basis: "canceled" }),
      ],
      "canceled",
      "canceled",
    ],
    [
      "expired",
      [
        moved("bundle.expired", "created", "expired"),
        moved("bundle.purged", "expired", "expired", { basis: "expired" }),
      ],
      "expired",
      "expired",
    ],
  ])("one that was %s holds no byte, and tells why", (_, events, state, basis) => {
    expect(counted(created, ...events)).toMatchObject({
      created: 1,
      byState: { [state]: 1 },
      bytesHeld: 0,
      purgedBy: { [basis]: 1 },
    });
  });

  it("a URL is counted by its purpose, and apart where the case is no support case; a list of files is no URL", () => {
    const listed = said("bundle.listed", { purpose: "troubleshooting", caseKind: "support" });
    const accessed = (purpose: string, caseKind: string) => said("bundle.accessed", { purpose, caseKind });
    expect(
      counted(
        listed,
        accessed("troubleshooting", "support"),
        accessed("productHealth", "support"),
        accessed("productHealth", "productHealth"),
      ),
    ).toMatchObject({ accessesBy: { troubleshooting: 1, productHealth: 2 }, accessesOutsideSupport: 1 });
  });

  it("a purged container gives its day the time; the last of several accounts' counts", () => {
    const purged = said("container.purged", { container: "bundles-20261123", account: "one" });
    const events = [time, on("2026-11-23T12:00:00.000Z"), on("2026-11-23T11:00:00.000Z")].flatMap((at) =>
      chain("service", chainStart, at, [purged]),
    );
    expect(fold(events).counts.get(day)?.containerPurgedOn).toBe("2026-11-23T12:00:00.000Z");
  });

  it("other events add nothing", () => {
    const others = [
      "stamp.registered",
      "consent.decided",
      "bundle.purgeIntended",
      "bundle.verificationDelayed",
    ] as const;
    expect(fold(chained(others.map((type) => said(type, {}))))).toEqual({ counts: new Map(), folded: 4 });
  });

  it("an event that lacks its facts is an error, not a miscount", () => {
    expect(() => counted({ ...submitted, data: { day } })).toThrow();
    expect(() => counted({ ...created, data: { toState: "created" } })).toThrow();
  });
});

describe("folding", () => {
  it("stops before it would touch more days than it may", () => {
    const onDays = [0, 0, 1, 2, 1].map((days) => ({ ...created, data: { ...created.data, day: addDays(day, days) } }));
    expect(fold(chained(onDays), 2)).toMatchObject({ folded: 3 });
    expect([...fold(chained(onDays), 2).counts.keys()]).toEqual(["20261123", "20261124"]);
    expect(fold(chained(onDays), 3).folded).toBe(5);
  });

  const events = fc.array(
    fc
      .tuple(fc.constantFrom(created, submitted, accepted), fc.nat(3))
      .map(([event, days]): NewEvent => ({ ...event, data: { ...event.data, day: addDays(day, days) } })),
  );

  it("in parts gives what folding at once gives, wherever it is cut", () => {
    fc.assert(
      fc.property(events, fc.nat(), (list, at) => {
        const all = chained(list);
        const cut = at % (all.length + 1);
        const parts = [fold(all.slice(0, cut)).counts, fold(all.slice(cut)).counts];
        const whole = fold(all).counts;
        expect(inTotal(plusByDay(parts))).toEqual(inTotal(whole));
        expect(Object.fromEntries(plusByDay(parts))).toEqual(Object.fromEntries(whole));
      }),
    );
  });
});

describe("adding up", () => {
  const counts = fc
    .record({
      created: fc.nat(9),
      covered: fc.nat(9),
      bytesBegun: fc.nat(9),
      bytesHeld: fc.integer({ min: -9, max: 9 }),
      byState: fc.dictionary(fc.constantFrom(...bundleState.options), fc.integer({ min: -9, max: 9 })),
      purgedBy: fc.constant({}),
      accessesBy: fc.constant({}),
      accessesOutsideSupport: fc.nat(9),
      containerPurgedOn: fc.constantFrom(time, on("2026-11-24T10:00:00.000Z"), undefined),
    })
    .map((value) => dayCounts.parse(value));

  it("does not depend on the order, and nothing changes nothing", () => {
    fc.assert(
      fc.property(counts, counts, counts, (a, b, c) => {
        expect(plus(a, b)).toEqual(plus(b, a));
        expect(plus(plus(a, b), c)).toEqual(plus(a, plus(b, c)));
        expect(plus(plus(a, undefined), undefined)).toEqual(plus(undefined, a));
      }),
    );
  });

  it("leaves out what comes to nothing", () => {
    expect(counted(created, submitted).byState).toEqual({ submitted: 1 });
  });
});
