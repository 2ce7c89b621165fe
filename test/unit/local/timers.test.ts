import { expect, test } from "vitest";
import { parseSchedule } from "../../../local/host/timers.ts";

const next = (schedule: string, from: string) =>
  parseSchedule({ name: "t", schedule }).nextRun(new Date(from))?.toISOString();

test("the first field is the second, and the time is UTC", () => {
  expect(next("30 15 2 * * *", "2026-11-22T02:15:30Z")).toBe("2026-11-23T02:15:30.000Z");
  expect(next("0 */5 * * * *", "2026-11-22T10:01:00Z")).toBe("2026-11-22T10:05:00.000Z");
});

test("day of month and day of week both have to hold, as in NCRONTAB", () => {
  expect(next("0 0 0 13 * Fri", "2026-11-22T00:00:00Z")).toBe("2027-08-13T00:00:00.000Z");
});

test.each(["*/5 * * * *", "00:05:00", "61 * * * * *", ""])("%j is refused by the function's name", (schedule) => {
  expect(() => parseSchedule({ name: "t", schedule })).toThrow(
    `Function "t": "${schedule}" is not a schedule of six fields.`,
  );
});
