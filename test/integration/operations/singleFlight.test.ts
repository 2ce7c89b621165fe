import { QueueClient } from "@azure/storage-queue";
import { expect, test } from "vitest";
import { expectStatus } from "../../support/system/expectations.ts";
import type { Call } from "./support/faults.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** A bundle is read by one instance at a time, and whoever dies while reading holds nobody up for long (invariant 7). */

const stageOf = useStages();

const minutes = (count: number) => count / 24 / 60;

const isReadOfCopy = ({ method, url }: { method: string; url: string }) =>
  method === "GET" && new URL(url).pathname.includes("/bundles-");

const readsOfCopy = (calls: readonly Call[]) =>
  calls.filter(({ method, path }) => method === "GET" && path.includes("/bundles-"));

const messagesIn = async ({ connectionString }: Stage) =>
  (await new QueueClient(connectionString, "verify").getProperties()).approximateMessagesCount;

test("[invariant 7] of four instances that verify a bundle at once one reads it", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle: alone } = await stamp.submittedBundle();
  const { calls } = await stage.faults.watching(() => stage.verify(alone));
  const readsOfOne = readsOfCopy(calls).length;
  expect(readsOfOne).toBeGreaterThan(0);

  const { bundle, bundleId } = await stamp.submittedBundle();
  const hold = stage.faults.holdNext(isReadOfCopy);
  const others = [stage.another(), stage.another(), stage.another()];
  const first = stage.faults.watching(() => stage.verify(bundle));
  await hold.reached;
  const rest = await Promise.all(others.map((other) => other.faults.watching(() => other.verify(bundle))));
  hold.letGo();
  const all = [await first, ...rest].flatMap((each) => readsOfCopy(each.calls));
  expect(all).toHaveLength(readsOfOne);
  expect((await stamp.bundle(bundleId)).state).toBe("accepted");
});

test("[invariant 7] ten submits send one message, and the sweeper asks once more after some minutes", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundleId, bytes } = await stamp.submittedBundle();
  for (let repeat = 1; repeat < 10; repeat += 1) expectStatus(await stamp.submit(bundleId, bytes), 202);
  expect(await messagesIn(stage)).toBe(1);
  await stage.another({ offsetDays: minutes(4) }).runTimer("sweepUnfinished");
  expect(await messagesIn(stage)).toBe(1);
  await stage.another({ offsetDays: minutes(6) }).runTimer("sweepUnfinished");
  expect(await messagesIn(stage)).toBe(2);
});

test("[invariant 7] the claim of an instance that died while reading expires, and another goes on", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await stamp.submittedBundle();
  const dying = stage.another();
  dying.faults.failWhere((request) => isReadOfCopy(request) || isRelease(request) || isCommit(request));
  await dying.verify(bundle).catch(() => {});
  await new QueueClient(stage.connectionString, "verify").clearMessages();

  await stage.verify(bundle);
  expect((await stamp.bundle(bundleId)).state).toBe("submitted");
  const later = stage.another({ offsetDays: minutes(2) });
  await later.runTimer("sweepUnfinished");
  expect(await messagesIn(stage)).toBe(1);
  await later.verify(bundle);
  expect((await stamp.bundle(bundleId)).state).toBe("accepted");
});

const isRelease = ({ method, url }: { method: string; url: string }) =>
  method === "DELETE" && new URL(url).pathname.includes("/claims(");

/** Whatever the dead instance would have written about its failure. */
const isCommit = ({ url }: { url: string }) => new URL(url).pathname.includes("/$batch");

test("[invariant 7] an instance goes on under a claim of its own that was left by a lost answer", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle, bundleId } = await stamp.submittedBundle();
  stage.faults.failWhere((request) => isReadOfCopy(request) || isRelease(request));
  await stage.verify(bundle);
  stage.faults.failWhere(undefined);
  await stage.verify(bundle);
  expect((await stamp.bundle(bundleId)).state).toBe("accepted");
});
