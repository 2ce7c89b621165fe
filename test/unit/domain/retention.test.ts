import { describe, expect, it } from "vitest";
import {
  dayMs,
  dayPurgeOn,
  deleteBy,
  expiresUnsubmittedOn,
  lastCopyDay,
  lifecycleDays,
  mayStartCopy,
  overduePageDays,
  overdueWarningDays,
  purgeOn,
  retentionDays,
  verificationBackOffSeconds,
} from "../../../shared/domain/retention.ts";
import { utcDaySchema } from "../../../shared/domain/utcDay.ts";
import { latestPurgeAfterDays } from "../../../shared/settings.ts";
import { at, on } from "./support/records.ts";

const days = (from: Date, count: number) => new Date(from.getTime() + count * dayMs);

describe("a bundle's hard line", () => {
  it.each([
    ["2026-11-23T10:00:00.000Z", "2027-02-21T10:00:00.000Z"],
    ["2027-12-01T23:59:59.999Z", "2028-02-29T23:59:59.999Z"],
    ["2028-02-29T00:00:00.000Z", "2028-05-29T00:00:00.000Z"],
  ])("created on %s it must be deleted by %s", (created, expected) => {
    expect(deleteBy(at(created))).toBe(expected);
  });
});

describe("when a bundle is due for deletion", () => {
  it.each([
    ["in the middle of a day", "2026-11-23T10:00:00.000Z", 80, "2027-02-11T00:00:00.000Z"],
    ["at its first instant", "2026-11-23T00:00:00.000Z", 80, "2027-02-11T00:00:00.000Z"],
    ["at its last", "2026-11-23T23:59:59.999Z", 80, "2027-02-11T00:00:00.000Z"],
    ["just after it", "2026-11-24T00:00:00.000Z", 80, "2027-02-12T00:00:00.000Z"],
    ["on a leap day", "2028-02-29T12:00:00.000Z", 80, "2028-05-19T00:00:00.000Z"],
    ["before a leap day", "2027-12-11T12:00:00.000Z", 80, "2028-02-29T00:00:00.000Z"],
    ["before no leap day", "2026-12-11T12:00:00.000Z", 80, "2027-03-01T00:00:00.000Z"],
    ["at a year's end", "2026-12-31T23:59:59.999Z", 1, "2027-01-01T00:00:00.000Z"],
    ["with the longest time there is", "2026-11-23T10:00:00.000Z", 82, "2027-02-13T00:00:00.000Z"],
  ])("created %s, %s and %i days: %s", (_, created, after, expected) => {
    expect(purgeOn(at(created), after)).toBe(expected);
  });

  it("is the start of a day for all of its day's bundles, never later than the setting says, never past day 90", () => {
    for (let hour = 0; hour < 24; hour += 1) {
      const created = at(`2026-11-23T${String(hour).padStart(2, "0")}:30:00.000Z`);
      const due = purgeOn(created, latestPurgeAfterDays);
      expect(due).toBe(dayPurgeOn(utcDaySchema.parse("20261123"), latestPurgeAfterDays));
      expect(Date.parse(due)).toBeLessThanOrEqual(days(created, latestPurgeAfterDays).getTime());
      expect(Date.parse(due)).toBeLessThan(Date.parse(deleteBy(created)));
    }
  });
});

describe("the days on which somebody is told", () => {
  it("come after every purge that may be configured, and well before the hard line", () => {
    expect([latestPurgeAfterDays, overdueWarningDays, lifecycleDays, overduePageDays, retentionDays]).toEqual([
      82, 82, 83, 84, 90,
    ]);
    expect(lastCopyDay + lifecycleDays, "a rule that counts from the copy").toBeLessThan(retentionDays);
  });
});

describe("an upload that nobody submits", () => {
  it("expires after 48 hours", () => {
    expect(expiresUnsubmittedOn(on("2028-02-28T10:00:00.000Z")).toISOString()).toBe("2028-03-01T10:00:00.000Z");
  });
});

describe("a copy into the day container", () => {
  const created = "2026-11-23T10:00:00.000Z";
  const bundle = (due: string) => ({ createdOn: on(created), purgeOn: on(due) });
  const usual = bundle("2027-02-11T00:00:00.000Z");

  it.each([
    [0, true],
    [3.99, true],
    [4, false],
    [79, false],
  ])("after %d days may start: %s", (after, expected) => {
    expect(mayStartCopy(usual, days(at(created), after))).toBe(expected);
  });

  it("starts no more once the bundle is due, however early that is", () => {
    const oneDay = bundle("2026-11-24T00:00:00.000Z");
    expect(mayStartCopy(oneDay, at("2026-11-23T23:59:59.999Z"))).toBe(true);
    expect(mayStartCopy(oneDay, at("2026-11-24T00:00:00.000Z"))).toBe(false);
  });
});

describe("the pause before verification is tried again", () => {
  it("doubles from half a minute and ends at an hour", () => {
    expect([1, 2, 3, 7, 8, 9, 100, 100_000].map(verificationBackOffSeconds)).toEqual([
      30, 60, 120, 1920, 3600, 3600, 3600, 3600,
    ]);
  });
});
