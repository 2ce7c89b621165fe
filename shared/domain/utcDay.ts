import * as z from "zod";

/**
 * A day in UTC as `yyyymmdd`, the unit of retention: day containers and work-index rows carry it in their names,
 * and its text sorts as time does.
 */
export const utcDaySchema = z
  .string()
  .regex(/^\d{8}$/, "must be a day such as 20261123")
  .refine((text) => dayOf(instantOf(text)) === text, { error: "must be a day of the calendar" })
  .brand<"UtcDay">();
export type UtcDay = z.infer<typeof utcDaySchema>;

/** The UTC day that holds the instant. */
export const utcDay = (instant: Date): UtcDay => utcDaySchema.parse(dayOf(instant));

/** The first instant of the day. */
export const startOfDay = (day: UtcDay): Date => instantOf(day);

/** The day `days` after it (before it, where negative). */
export const addDays = (day: UtcDay, days: number): UtcDay => {
  const instant = instantOf(day);
  instant.setUTCDate(instant.getUTCDate() + days);
  return utcDay(instant);
};

/** Whole days from `earlier` to `later`; negative where they stand the other way round. */
export const daysBetween = (earlier: UtcDay, later: UtcDay): number =>
  Math.round((instantOf(later).getTime() - instantOf(earlier).getTime()) / 86_400_000);

function instantOf(text: string): Date {
  return new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(4, 6)) - 1, Number(text.slice(6, 8))));
}

function dayOf(instant: Date): string {
  return Number.isNaN(instant.getTime()) ? "" : instant.toISOString().slice(0, 10).replaceAll("-", "");
}
