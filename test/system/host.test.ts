import { afterAll, beforeAll, expect, it } from "vitest";
import { expectStatus } from "../support/system/expectations.ts";
import { getBlob } from "../support/system/storage.ts";
import { openWorld, type World } from "../support/system/world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

it("a bundle goes from a stamp to an engineer", async () => {
  const stamp = await world.registeredStamp();
  const { bundle, bytes } = await stamp.acceptedBundle();
  const supportCase = await world.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { grantId } = await supportCase.grant([bundle]);
  const read = await getBlob(await supportCase.url(grantId, bundle));
  expect(read.body.equals(bytes)).toBe(true);
});
