/** Time that stands still while anybody acts, and jumps to the next moment for which somebody waits. */

export type VirtualTime = {
  /** A millisecond later with each look. */
  readonly now: () => Date;
  /** Waits so many hours, at least one moment. Only a life may wait. */
  readonly pass: (hours: number) => Promise<void>;
  /** Begins a life beside the others. What it throws ends the run. */
  readonly live: (life: () => Promise<void>) => void;
  /** Runs all lives for so many hours more; `look` is called every `everyHours`, while nobody acts. */
  readonly run: (hours: number, everyHours: number, look: () => Promise<void>) => Promise<void>;
  /** Goes on by so many hours in which nobody acts. */
  readonly skip: (hours: number) => void;
};

const hourMs = 3_600_000;

/** What falls into the same `momentHours` happens at once. */
export function virtualTime(start: Date, momentHours: number): VirtualTime {
  const momentMs = momentHours * hourMs;
  const sleepers = new Map<number, (() => void)[]>();
  const failures: unknown[] = [];
  let moment = start.getTime();
  let looks = 0;
  let awake = 0;
  let quiet = () => {};

  const rest = () => {
    awake -= 1;
    if (awake === 0) quiet();
  };
  const allAtRest = async () => {
    if (awake === 0) return;
    await new Promise<void>((resolve) => {
      quiet = resolve;
    });
  };

  const goTo = (time: number) => {
    moment = Math.max(moment + looks, time);
    looks = 0;
  };

  return {
    now: () => {
      looks += 1;
      return new Date(moment + looks);
    },
    pass: (hours) => {
      const at =
        Math.max(1, Math.round((hours * hourMs) / momentMs)) * momentMs + Math.floor(moment / momentMs) * momentMs;
      const waiting = sleepers.get(at) ?? [];
      sleepers.set(at, waiting);
      return new Promise((wake) => {
        waiting.push(wake);
        rest();
      });
    },
    live: (life) => {
      awake += 1;
      life()
        .catch((error: unknown) => void failures.push(error))
        .finally(rest);
    },
    run: async (hours, everyHours, look) => {
      const end = moment + hours * hourMs;
      let nextLook = moment + everyHours * hourMs;
      for (;;) {
        await allAtRest();
        if (failures.length > 0) throw failures[0];
        const next = Math.min(...sleepers.keys());
        while (nextLook <= Math.min(next, end)) {
          goTo(nextLook);
          await look();
          nextLook += everyHours * hourMs;
        }
        if (next > end) break;
        goTo(next);
        const woken = sleepers.get(next) ?? [];
        sleepers.delete(next);
        awake += woken.length;
        for (const wake of woken) wake();
      }
      goTo(end);
    },
    skip: (hours) => goTo(moment + hours * hourMs),
  };
}
