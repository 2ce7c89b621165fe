import type { UtcTime } from "../api/primitives.ts";
import { purgeOn } from "../domain/retention.ts";
import { type UtcDay, utcDay } from "../domain/utcDay.ts";
import type { World } from "./needs.ts";

/** When the bundles of a day are deleted: the first bundle of a day fixes it, so that a changed `PURGE_AFTER_DAYS` holds from the next day on. */

export type PurgeDates = { readonly purgeOn: (createdOn: Date) => Promise<UtcTime> };

/** An instance reads the date of a day once. */
export function openPurgeDates({ schedule, rules }: Pick<World, "schedule" | "rules">): PurgeDates {
  let known: { readonly day: UtcDay; readonly purgeOn: Promise<UtcTime> } | undefined;
  return {
    purgeOn: async (createdOn) => {
      const day = utcDay(createdOn);
      if (known?.day === day) return await known.purgeOn;
      const asked = schedule.fixPurgeOn(day, purgeOn(createdOn, rules.purgeAfterDays));
      known = { day, purgeOn: asked };
      try {
        return await asked;
      } catch (error) {
        known = undefined;
        throw error;
      }
    },
  };
}
