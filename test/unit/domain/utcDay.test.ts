import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addDays, daysBetween, startOfDay, utcDay, utcDaySchema } from "../../../shared/domain/utcDay.ts";

const instants = fc.date({
  min: new Date("2000-01-01T00:00:00Z"),
  max: new Date("2200-01-01T00:00:00Z"),
  noInvalidDate: true,
});

describe("a UTC day", () => {
  it("holds every instant from its first to the last before the next day", () => {
    fc.assert(
      fc.property(instants, (instant) => {
        const day = utcDay(instant);
        expect(startOfDay(day).getTime()).toBeLessThanOrEqual(instant.getTime());
        expect(instant.getTime()).toBeLessThan(startOfDay(addDays(day, 1)).getTime());
      }),
    );
  });

  it("sorts as time does", () => {
    fc.assert(
      fc.property(instants, instants, (one, other) => {
        expect(utcDay(one) < utcDay(other)).toBe(daysBetween(utcDay(one), utcDay(other)) > 0);
      }),
    );
  });

  it("counts days over months, leap days and years", () => {
    const start = utcDay(new Date("2027-12-10T23:59:59.999Z"));
    expect(addDays(start, 80)).toBe("20280228");
    expect(addDays(start, 81)).toBe("20280229");
    expect(addDays(start, 82)).toBe("20280301");
    expect(addDays(addDays(start, 90), -90)).toBe(start);
    expect(daysBetween(start, addDays(start, 90))).toBe(90);
  });

  it.each(["20261301", "20260230", "2026-11-23", "202611", "00000000", ""])("is never %j", (text) => {
    expect(utcDaySchema.safeParse(text).success).toBe(false);
  });
});
