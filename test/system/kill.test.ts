import { randomInt, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { counted, expectWholeLedger, ofBundle } from "../support/ledger.ts";
import type { Answer } from "../support/system/http.ts";
import { bundleShape } from "../support/system/shapes.ts";
import type { StampActor } from "../support/system/stamp.ts";
import { blobAccount, putBlob } from "../support/system/storage.ts";
import { openWorld, type World } from "../support/system/world.ts";
import { makeZip } from "../support/system/zip.ts";
import { until } from "../support/until.ts";

/** The service is killed again and again while stamps upload; its storage lives on. What was acknowledged is not lost (invariant 7). */

const uploads = 50;
const sendersAtOnce = 2;
const leastKills = 12;
const patienceMs = 240_000;

let world: World;
/** Steps of uploads that were answered, over all senders. */
let steps = 0;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

it("[invariant 7] every bundle that got its 202 ends accepted, exactly once in the ledger", {
  timeout: 900_000,
}, async () => {
  const stamps = await Promise.all(Array.from({ length: 5 }, () => world.registeredStamp()));
  const waiting = Array.from({ length: uploads }, (_, index) => ({
    stamp: stamps[index % stamps.length],
    bundleId: randomUUID(),
  }));
  const acknowledged: { stamp: StampActor; bundleId: string }[] = [];
  let sending = true;

  const sender = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { stamp, bundleId } = next;
      if (stamp === undefined) throw new Error("No stamp");
      await send(stamp, bundleId);
      acknowledged.push({ stamp, bundleId });
    }
  };
  const killer = async (): Promise<number> => {
    let kills = 0;
    for (; sending; kills += 1) {
      const enough = steps + randomInt(1, 16);
      await until("some more steps", () => steps >= enough || !sending, patienceMs);
      await killAfter(randomInt(40));
    }
    // And while it verifies what it has acknowledged.
    for (; kills < leastKills; kills += 1) await killAfter(randomInt(400));
    return kills;
  };
  const killAfter = async (milliseconds: number): Promise<void> => {
    await pause(milliseconds);
    await world.service.kill();
    await world.restart();
  };

  const killing = killer();
  await Promise.all(Array.from({ length: sendersAtOnce }, sender)).finally(async () => {
    sending = false;
    await killing;
  });
  expect(await killing).toBeGreaterThanOrEqual(leastKills);
  expect(acknowledged).toHaveLength(uploads);

  // A message whose handling died five times is delivered no more: the sweeper, which looks an hour after the submit, asks again.
  await world.restart({ CLOCK_OFFSET_DAYS: "0.1" });
  await world.runTimer("sweepUnfinished");
  for (const { stamp, bundleId } of acknowledged) await stamp.waitFor(bundleId, "accepted");
  const events = await world.events();
  expectWholeLedger(events);
  for (const { bundleId } of acknowledged) {
    // Storage that kept a verification waiting is no verdict, and is told.
    const { "bundle.verificationDelayed": _, ...told } = counted(ofBundle(events, bundleId));
    expect(told).toEqual({ "bundle.created": 1, "bundle.submitted": 1, "bundle.accepted": 1 });
  }
  await world.restart({ CLOCK_OFFSET_DAYS: "0.2" });
  await world.runTimer("sweepUnfinished");
  expect(await landingContainers()).toEqual([]);
});

/** Creates, uploads and submits as a stamp does that does not give up: each step again, signed anew, until it is answered for good. */
async function send(stamp: StampActor, bundleId: string): Promise<void> {
  const bytes = await makeZip(20_000);
  const request = await persistently("the request", () => stamp.bundleRequest({ sizeBytes: bytes.byteLength }));
  const created = await persistently("the create", async () =>
    settled(await stamp.call("PUT", stamp.bundlePath(bundleId), request)),
  );
  const { upload } = bundleShape.parse(created.json);
  if (upload === undefined) throw new Error(`No upload: ${created.text}`);
  await persistently("the upload", async () => settled(await putBlob(upload, bytes)));
  await persistently("the submit", async () => settled(await stamp.submit(bundleId, bytes)));
}

/** An answer that says yes; nothing where it is worth asking again. Anything else is a fault. */
function settled(answer: Answer): Answer | undefined {
  if (answer.status < 300) {
    steps += 1;
    return answer;
  }
  if (answer.status === 503) return undefined;
  throw new Refused(`${answer.status} ${answer.text}`);
}

class Refused extends Error {}

/** Asks until there is an answer; a line that drops, and a service that is down, are asked again. */
const persistently = <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> =>
  until(
    what,
    async () => {
      try {
        return await ask();
      } catch (error) {
        if (error instanceof Refused) throw error;
        return undefined;
      }
    },
    patienceMs,
  );

async function landingContainers(): Promise<string[]> {
  const names: string[] = [];
  const account = await blobAccount(world.service.directory);
  for await (const { name } of account.listContainers({ prefix: "landing-" })) names.push(name);
  return names;
}
