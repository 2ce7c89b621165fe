import { expect, test } from "vitest";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { signed } from "../../support/system/signing.ts";
import { withVersion } from "../../support/system/world.ts";
import { useStages } from "./support/stage.ts";

const stages = useStages();

const dayMs = 86_400_000;
const nextMidnight = () => (Math.floor(Date.now() / dayMs) + 1) * dayMs;

test("[invariant 8] a signature of before midnight works once, on both sides of it", async () => {
  const stage = stages();
  const stamp = await stage.registeredStamp();
  const midnight = nextMidnight();
  let now = midnight - 30_000;
  const around = stage.another({ real: () => new Date(now) });
  const reading = { method: "GET", path: withVersion(stamp.path) };
  const request = await signed(stage.origin, stamp.key, reading, { created: new Date(midnight - 60_000) });

  expectStatus(await around.send(request), 200);
  expectRefusal(await around.send(request), 401, "SignatureReplayed");
  now = midnight + 30_000;
  expectRefusal(await around.send(request), 401, "SignatureReplayed");
  await around.app.timers.purgeDue();
  expectRefusal(await around.send(request), 401, "SignatureReplayed");
  now = midnight + 10 * 60_000;
  expectRefusal(await around.send(request), 401, "SignatureExpired");
});

test("[invariant 8] nonces are dropped with their day, long after their signatures have expired", async () => {
  const stage = stages();
  const stamp = await stage.registeredStamp();
  await stamp.view();
  const tables = async () => {
    const names: string[] = [];
    for await (const { name } of stage.tables.listTables()) if (name?.startsWith("nonces")) names.push(name);
    return names;
  };
  expect(await tables()).toHaveLength(1);
  await stage.another({ real: () => new Date(Date.now() + dayMs) }).app.timers.purgeDue();
  expect(await tables()).toHaveLength(1);
  await stage.another({ real: () => new Date(Date.now() + 2 * dayMs) }).app.timers.purgeDue();
  expect(await tables()).toHaveLength(0);
});
