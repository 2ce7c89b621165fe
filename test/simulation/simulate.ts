import type { Stages } from "../integration/operations/support/stage.ts";
import { employAuditor } from "./audit.ts";
import { joinFleet } from "./fleet.ts";
import { nothingKnown } from "./known.ts";
import { openMachinery } from "./machinery.ts";
import { openObserver } from "./observer.ts";
import { perilsOf } from "./perils.ts";
import { type Reckoning, reckon } from "./reckoning.ts";
import { restoreRemovedAccount, settingsOn, writeUnknownRows } from "./seasons.ts";
import { type Simulation, type Size, streamOf } from "./simulation.ts";
import { storageClock } from "./storageClock.ts";
import { openDesk } from "./support.ts";
import { virtualTime } from "./time.ts";

/** Lives through `days` of the service against real storage, and reckons. Everything random comes from the seed. */

export type Told = Reckoning & {
  readonly calls: number;
  readonly deaths: number;
  readonly repeated: number;
  readonly looks: number;
  readonly listed: number;
  readonly oldestDays: number;
  readonly tally: Readonly<Record<string, number>>;
  readonly seconds: number;
};

const engineersOfAll = 8;

export async function simulate(stages: Stages, size: Size, say: (line: string) => void = () => {}): Promise<Told> {
  const began = Date.now();
  const time = virtualTime(size.start, size.momentHours);
  const perils = perilsOf(size.peril);
  const known = nothingKnown();
  const world = { now: time.now, policies: [perils.policy, storageClock(known, time)] };
  const first = stages.open({ ...world, settings: settingsOn(size, time.now()) });
  let serving = first;
  const simulation: Simulation = { size, time, perils, known, stage: () => serving, tally: new Map() };

  for (let index = 0; index < size.stamps; index += 1) await joinFleet(simulation, index);
  const staff = streamOf(simulation, "staff");
  const engineers = Array.from({ length: engineersOfAll }, staff.guid);
  for (let index = 0; index < size.cases; index += 1) openDesk(simulation, index, engineers);
  employAuditor(simulation);
  writeUnknownRows(simulation);
  restoreRemovedAccount(simulation);
  const machinery = await openMachinery(simulation);
  const observer = openObserver(simulation);

  const lookEvery = size.lookHours;
  const looksADay = Math.round(24 / lookEvery);
  await time.run(size.days * 24, lookEvery, async () => {
    await observer.look();
    if (observer.seen.looks % looksADay !== 0) return;
    // An instance does not live long: what it remembers must not matter.
    serving = first.another({ ...world, settings: settingsOn(size, time.now()) });
    say(`${time.now().toISOString()}: ${simulation.known.bundles.size} bundles, ${perils.counts.calls} calls`);
  });
  const reckoning = await reckon(simulation, machinery, observer);
  const { calls, deaths, repeated } = perils.counts;
  return {
    ...reckoning,
    ...observer.seen,
    calls,
    deaths,
    repeated,
    tally: Object.fromEntries([...simulation.tally].sort()),
    seconds: (Date.now() - began) / 1000,
  };
}

/** A season with shorter days of grace: the ten days between purge and line are the same. */
export const short: Size = {
  start: new Date("2027-01-05T00:00:00Z"),
  seed: 2,
  days: 46,
  stamps: 12,
  cases: 5,
  bundles: 100,
  momentHours: 2,
  lookHours: 24,
  purgeAfterDays: 30,
  timerPace: 3,
  peril: 0.1,
};

export const long: Size = {
  start: new Date("2027-01-05T00:00:00Z"),
  seed: 1,
  days: 120,
  stamps: 40,
  cases: 30,
  bundles: 6400,
  momentHours: 0.5,
  lookHours: 6,
  purgeAfterDays: 80,
  timerPace: 1,
  peril: 0.08,
};
