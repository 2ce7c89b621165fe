import { type UtcDay, utcDay } from "../domain/utcDay.ts";
import type { Announced, Clock, Intake, Log, Rollups } from "./needs.ts";

/** Counts the bytes that all stamps together announce (`Intake`). */

const readEveryMs = 60_000;
const minuteMs = 60_000;

export function openIntake({
  clock,
  log,
  rollups,
}: {
  readonly clock: Clock;
  readonly log: Log;
  readonly rollups: Pick<Rollups, "complete">;
}): Intake {
  let counted: Announced | undefined;
  let readOnMs = Number.NEGATIVE_INFINITY;
  /** Bytes by the minute in which they were let in: a day has no more than 1,440. */
  const own = new Map<number, number>();

  async function refresh(): Promise<void> {
    readOnMs = clock.real().getTime();
    const complete = await rollups.complete();
    if (complete === undefined) return;
    counted = complete.announced;
    // What was let in while it was folded may be counted twice, and nothing is left out.
    const asOfMs = Date.parse(complete.asOf);
    for (const minute of own.keys()) if ((minute + 1) * minuteMs <= asOfMs) own.delete(minute);
  }

  function ownOn(day: UtcDay): number {
    let bytes = 0;
    for (const [minute, taken] of own) if (utcDay(new Date(minute * minuteMs)) === day) bytes += taken;
    return bytes;
  }

  return {
    refresh,
    bytesOn: (now) => {
      if (clock.real().getTime() - readOnMs >= readEveryMs) {
        refresh().catch((error: unknown) => log.error("intake.notRead", error));
      }
      const day = utcDay(now);
      return (counted?.day === day ? counted.bytes : 0) + ownOn(day);
    },
    took: (bytes, now) => {
      const minute = Math.floor(now.getTime() / minuteMs);
      own.set(minute, (own.get(minute) ?? 0) + bytes);
    },
  };
}
