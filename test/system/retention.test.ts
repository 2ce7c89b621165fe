import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { expectStatus } from "../support/system/expectations.ts";
import { openWorld, type World } from "../support/system/world.ts";

/** `GET /compliance/retention` of a running service: fresh before any timer has run, and the same after it. */

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

const report = z.looseObject({
  asOf: z.string(),
  freshAsOf: z.string(),
  bundlesByState: z.record(z.string(), z.number()),
  bytesHeld: z.number(),
  daysHeld: z.number(),
  oldestByte: z.looseObject({ stampId: z.string(), bundleId: z.string(), ageDays: z.number() }),
  violations: z.array(z.unknown()),
});

const read = async () => {
  const auditor = await world.person("A");
  return report.parse(expectStatus(await auditor.call("GET", "/compliance/retention"), 200).json);
};

test("an accepted bundle is in it at once, and counted once when the ledger is folded", async () => {
  const stamp = await world.registeredStamp();
  const { bundleId, bytes } = await stamp.acceptedBundle();
  const expected = {
    bundlesByState: { accepted: 1 },
    bytesHeld: bytes.byteLength,
    daysHeld: 1,
    oldestByte: { stampId: stamp.stampId, bundleId },
    violations: [],
  };
  const fresh = await read();
  expect(fresh).toMatchObject(expected);
  expect(fresh.freshAsOf).toBe(fresh.asOf);
  await world.runTimer("foldLedger");
  expect(await read()).toMatchObject(expected);
  await world.runTimer("foldLedger");
  expect(await read()).toMatchObject(expected);
});
