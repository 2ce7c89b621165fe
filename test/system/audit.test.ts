import { afterAll, beforeAll, expect, test } from "vitest";
import { runScript } from "../support/system/service.ts";
import { openWorld, type World } from "../support/system/world.ts";

/** `npm run audit -- check` finds the service that runs here by itself. */

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

test("the ledger of a running service holds, chain by chain", async () => {
  const stamp = await world.registeredStamp();
  await stamp.enableConsent();
  await stamp.createBundle();
  const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
  const said = await runScript(world.service.directory, "audit/cli.ts", "check");
  expect(said).toContain(`${stamp.partition}: to seq 3`);
  expect(said).toContain(`${supportCase.partition}: to seq 1`);
  expect(said).toMatch(/Checked 4 events in 2 partitions: every chain holds\.$/);
});
