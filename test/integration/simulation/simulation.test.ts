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
  const { faults, deaths, looks, oldestDays, ...told } = await simulate(stages, { ...short, seed });
  expect(faults).toEqual([]);
  // It was a season worth the name.
  expect(looks).toBeGreaterThan(short.days - 2);
  expect(deaths).toBeGreaterThan(20);
  expect(oldestDays, "an outage brought bytes near the line").toBeGreaterThan(short.purgeAfterDays + 3);
  const { states, purgedBy, modes, boxes, grants, tally } = told;
  expect(Object.keys(states)).toEqual(
    expect.arrayContaining(["accepted", "canceled", "expired", "purged", "rejected"]),
  );
  expect(Object.keys(purgedBy)).toEqual(expect.arrayContaining(["age", "erasure"]));
  expect(Object.keys(modes)).toEqual(expect.arrayContaining(["dropBox", "imported"]));
  expect(Object.keys(boxes)).toEqual(expect.arrayContaining(["expired", "quiet", "requested"]));
  expect(Object.keys(grants)).toEqual(expect.arrayContaining(["approvalLapsed", "denied"]));
  expect(Object.keys(tally)).toEqual(
    expect.arrayContaining([
      "URL, approved",
      "file",
      "list",
      "list, approved",
      "granted under a foreign id: GrantConflict",
      "lost, then compromised",
      "alert row.unreadable",
      "day of a removed account",
    ]),
  );
}, 1_200_000);
