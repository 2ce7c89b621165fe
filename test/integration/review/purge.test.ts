import { expect, test } from "vitest";
import { accepted } from "../operations/support/bundles.ts";
import { useStages } from "../operations/support/stage.ts";

/** What must not keep retention from its work, and what must not be left when it says that it is done (invariants 2 and 3). */

const stageOf = useStages();

test("[invariant 3] housekeeping that fails does not keep the purge from its work", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundleId } = await accepted(stage, stamp);
  const later = stage.another({ offsetDays: 81 });
  later.faults.failWhere(({ method, url }) => method === "GET" && new URL(url).pathname.endsWith("/Tables"));
  await expect(later.runTimer("purgeDue")).rejects.toThrow();
  expect(await stamp.bundle(bundleId)).toMatchObject({ state: "purged" });
});
