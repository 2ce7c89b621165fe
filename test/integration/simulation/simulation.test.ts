import { afterAll, beforeAll, expect, test } from "vitest";
import { short, simulate } from "../../simulation/simulate.ts";
import { openStages, type Stages } from "../operations/support/stage.ts";

/** The short form of `npm run soak`; `SIMULATION_SEED` plays another one. */

let stages: Stages;
beforeAll(async () => {
  stages = await openStages();
});
afterAll(() => stages?.close());

const seed = Number(process.env.SIMULATION_SEED ?? short.seed);

test(`[invariant 3] [invariant 7] a season of the service, with all that may go wrong, leaves every account in agreement (seed ${seed})`, async () => {
  const { faults, states, purgedBy, deaths, looks, oldestDays } = await simulate(stages, { ...short, seed });
  expect(faults).toEqual([]);
  // It was a season worth the name.
  expect(looks).toBeGreaterThan(short.days - 2);
  expect(deaths).toBeGreaterThan(20);
  expect(oldestDays, "an outage brought bytes near the line").toBeGreaterThan(short.purgeAfterDays + 3);
  expect(Object.keys(states)).toEqual(
    expect.arrayContaining(["accepted", "canceled", "expired", "purged", "rejected"]),
  );
  expect(Object.keys(purgedBy)).toEqual(expect.arrayContaining(["age", "erasure"]));
}, 600_000);
