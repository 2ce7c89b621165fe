import { Cron } from "croner";
import type { TimerFunction } from "./functions.ts";
import type { Invoker, TypedData } from "./invoker.ts";
import { describeError, logLine } from "./log.ts";

export type Timers = {
  /** Starts no further run, and resolves when those under way have ended. */
  readonly stop: () => Promise<void>;
};

/**
 * Runs timers on their schedules in UTC, each at most once at a time, as the real host does.
 * None runs at start, not even one that the stopped service missed: the next run of each is soon enough, and a start stays a start.
 */
export function startTimers(timers: readonly TimerFunction[], invoker: Invoker): Timers {
  const underWay = new Set<Promise<void>>();
  const jobs = timers.map((timer) => {
    const job = parseSchedule(timer);
    let last: Date | undefined;
    job.schedule(() => {
      const run = runTimer(timer, last, job.nextRun() ?? undefined, invoker);
      last = new Date();
      underWay.add(run);
      return run.finally(() => underWay.delete(run));
    });
    return job;
  });
  return {
    stop: async () => {
      for (const job of jobs) job.stop();
      await Promise.all(underWay);
    },
  };
}

/** NCRONTAB: six fields with seconds first, day of month and day of week both to hold. Throws an `Error` that names the function. */
export function parseSchedule({ name, schedule }: { name: string; schedule: string }): Cron {
  try {
    return new Cron(schedule, { mode: "6-part", timezone: "UTC", domAndDow: true, protect: true });
  } catch (cause) {
    throw new Error(`Function "${name}": "${schedule}" is not a schedule of six fields.`, { cause });
  }
}

async function runTimer(
  timer: TimerFunction,
  last: Date | undefined,
  next: Date | undefined,
  invoker: Invoker,
): Promise<void> {
  try {
    await invoker.invoke({ ...timer, data: timerData(last, next) });
  } catch (error) {
    logLine(`${timer.name} failed: ${describeError(error)}`);
  }
}

/** What a timer function is told; the library turns the names into camel case. */
export function timerData(last: Date | undefined, next: Date | undefined): TypedData {
  const never = "0001-01-01T00:00:00";
  const status = {
    Last: last?.toISOString() ?? never,
    LastUpdated: last?.toISOString() ?? never,
    Next: next?.toISOString() ?? never,
  };
  return { json: JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus: status, IsPastDue: false }) };
}
