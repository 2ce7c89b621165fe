import { describe, expect, it } from "vitest";
import { bundleId, stampId } from "../../../shared/api/primitives.ts";
import { dayPurgeOn } from "../../../shared/domain/retention.ts";
import { startOfDay, utcDaySchema } from "../../../shared/domain/utcDay.ts";
import { earlyOverdue, heldTooLong, purgeSilent } from "../../../shared/domain/violations.ts";
import { at, id, on } from "./support/records.ts";

const day = utcDaySchema.parse("20261123");
const daysLater = (days: number): Date => new Date(startOfDay(day).getTime() + days * 86_400_000);
const codes = (purgeAfterDays: number, days: number) =>
  heldTooLong({ day, account: "one", purgeOn: dayPurgeOn(day, purgeAfterDays) }, daysLater(days)).map(
    ({ code }) => code,
  );
const justBefore = 1 / 86_400_000;

describe("a day container that is still there", () => {
  it.each([
    [79, []],
    [80, []],
    [81 - justBefore, []],
    [81, ["PurgeOverdue"]],
    [82 - justBefore, ["PurgeOverdue"]],
    [82, ["PurgeOverdue", "PurgeLate82"]],
    [84 - justBefore, ["PurgeOverdue", "PurgeLate82"]],
    [84, ["PurgeOverdue", "PurgeLate82", "PurgeLate84"]],
    [90 - justBefore, ["PurgeOverdue", "PurgeLate82", "PurgeLate84"]],
    [90, ["PurgeOverdue", "PurgeLate82", "PurgeLate84", "PastDay90"]],
    [91, ["PurgeOverdue", "PurgeLate82", "PurgeLate84", "PastDay90"]],
  ])("%d days after its day breaks %j", (days, expected) => {
    expect(codes(80, days)).toEqual(expected);
  });

  it("that was due early is overdue early", () => {
    expect(codes(1, 1.9)).toEqual([]);
    expect(codes(1, 2)).toEqual(["PurgeOverdue"]);
  });

  it("is named with its container, and since when each limit is passed", () => {
    const purgeOn = dayPurgeOn(day, 80);
    expect(
      heldTooLong({ day, account: "one", purgeOn }, daysLater(90)).map(({ since, container }) => [since, container]),
    ).toEqual([
      ["2027-02-11T00:00:00.000Z", "bundles-20261123"],
      ["2027-02-13T00:00:00.000Z", "bundles-20261123"],
      ["2027-02-15T00:00:00.000Z", "bundles-20261123"],
      ["2027-02-21T00:00:00.000Z", "bundles-20261123"],
    ]);
  });
});

describe("a deletion of one bundle for a time of its own", () => {
  const due = { stampId: stampId.parse(id(1)), bundleId: bundleId.parse(id(2)), dueOn: on("2026-11-23T10:00:00.000Z") };

  it.each([
    ["erasure", "ErasureOverdue"],
    ["caseClosed", "CaseClosePurgeOverdue"],
  ] as const)("by %s is overdue two hours after its time", (basis, code) => {
    expect(earlyOverdue({ ...due, basis }, at("2026-11-23T09:00:00.000Z"))).toEqual([]);
    expect(earlyOverdue({ ...due, basis }, at("2026-11-23T11:59:59.999Z"))).toEqual([]);
    expect(earlyOverdue({ ...due, basis }, at("2026-11-23T12:00:00.000Z"))).toMatchObject([
      { code, stampId: id(1), bundleId: id(2), since: due.dueOn },
    ]);
  });
});

describe("a purge that has not succeeded", () => {
  const held = [{ day, account: "one", purgeOn: dayPurgeOn(day, 80) }];
  const lastSuccess = on("2026-11-25T10:00:00.000Z");
  const silentSince = (...[last, days, now]: Parameters<typeof purgeSilent>) =>
    purgeSilent(last, days, now).map(({ code, since }) => [code, since]);

  it("for a day is told, and since when", () => {
    expect(silentSince(lastSuccess, held, at("2026-11-26T09:59:59.999Z"))).toEqual([]);
    expect(silentSince(lastSuccess, held, at("2026-11-26T10:00:00.000Z"))).toEqual([["PurgeTimerSilent", lastSuccess]]);
  });

  it("ever is told once the first day that is held is over for a day", () => {
    expect(silentSince(undefined, held, daysLater(1.99))).toEqual([]);
    expect(silentSince(undefined, held, daysLater(2))).toEqual([["PurgeTimerSilent", "2026-11-24T00:00:00.000Z"]]);
  });

  it("is no matter while nothing is held", () => {
    expect(silentSince(undefined, [], daysLater(90))).toEqual([]);
    expect(silentSince(lastSuccess, [], daysLater(90))).toEqual([]);
  });
});
