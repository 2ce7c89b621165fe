import { RestError } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import { withSink } from "../../../shared/log.ts";
import { counted, expectWholeLedger } from "../../support/ledger.ts";
import type { DropBoxActor } from "../../support/system/dropBoxes.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { blobsIn } from "./support/bundles.ts";
import { boxContainers, bundlesOf, empty, findings, openDropBox, verifiedBundlesOf } from "./support/dropBoxes.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** How a box that is closing comes to its end, whoever empties it, writes to it or erases what is in it. */

const stageOf = useStages();

const boxIn = async (stage: Stage): Promise<DropBoxActor> => openDropBox(stage, await stage.openCase());
const beginClosing = async (stage: Stage, box: DropBoxActor) =>
  expectStatus(await (await stage.person("C")).call("POST", `${box.path}:close`), 200);

type Request = { readonly method: string; readonly url: string; readonly headers: { get(name: string): unknown } };
const copyOf = (path: string) => (request: Request) =>
  request.method === "PUT" && String(request.headers.get("x-ms-copy-source") ?? "").includes(`/${path}?`);
const isList = ({ url }: Request) => url.includes("/box-") && url.includes("comp=list");

const copiesIn = async (stage: Stage): Promise<string[]> =>
  (await blobsIn(stage)).filter((name) => name.startsWith("bundles-"));

async function eraseNow(stage: Stage, box: DropBoxActor, bundleId: string): Promise<string> {
  const { call } = await stage.person("C");
  const path = `${box.path}/bundles/${bundleId}`;
  expectStatus(await call("POST", `${path}:erase`, { decidedBy: "Grace", reason: "Give it back." }), 202);
  return path;
}
const readUrl = async (box: DropBoxActor, path: string): Promise<number> => {
  const url = new URL(box.opened.upload?.url ?? "");
  url.pathname += `/${path}`;
  return (await fetch(url)).status;
};

describe("[invariant 3] what arrived in a drop box and is erased while that closes", () => {
  const settings = { ERASE_DELAY_HOURS: "0" };

  test("is said to be deleted once the box's URL reads it no more, and not before", async () => {
    const stage = stageOf({ settings });
    const box = await boxIn(stage);
    await box.write("a.log", "a");
    await box.write("b.log", "b");
    await beginClosing(stage, box);
    const slow = stage.another({ settings });
    slow.faults.failWhere(copyOf("b.log"));
    await empty(slow, box.dropBoxId);
    const { "a.log": erased } = await bundlesOf(stage, box);
    if (erased === undefined) throw new Error("Nothing arrived");
    const path = await eraseNow(stage, box, erased.bundleId);
    const { call } = await stage.person("A");
    const certificate = `/stamps/${box.stampId}/bundles/${erased.bundleId}/deletionCertificate`;

    expect(await readUrl(box, "a.log")).toBe(200);
    expect((await bundlesOf(stage, box))["a.log"]?.purge).toMatchObject({ basis: "erasure" });
    expect((await bundlesOf(stage, box))["a.log"]?.purge).not.toHaveProperty("deletedOn");
    expectRefusal(await call("GET", certificate), 409, "NotYetDeleted");
    expect(expectStatus(await call("GET", `${path}/erasure`), 200).json).toMatchObject({ status: "Running" });

    await empty(stage, box.dropBoxId);
    expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 2 } });
    expect(await readUrl(box, "a.log")).toBe(404);
    expect((await bundlesOf(stage, box))["a.log"]).toMatchObject({ state: "purged", purge: { basis: "erasure" } });
    expectStatus(await call("GET", certificate), 200);
    const { "b.log": kept } = await verifiedBundlesOf(stage, box);
    expect(await copiesIn(stage)).toEqual([expect.stringContaining(kept?.bundleId ?? "")]);
    expect(await findings(stage)).toEqual([]);
  });

  test("does not come back by a copy that was under way in an instance that was overtaken", async () => {
    const stage = stageOf({ settings });
    const box = await boxIn(stage);
    await box.write("a.log", "a");
    await beginClosing(stage, box);
    const slow = stage.another({ settings });
    const hold = slow.faults.holdNext(copyOf("a.log"));
    const overtaken = empty(slow, box.dropBoxId);
    await hold.reached;
    const { "a.log": bundle } = await bundlesOf(stage, box);
    if (bundle === undefined) throw new Error("Nothing arrived");
    await eraseNow(stage, box, bundle.bundleId);
    const next = stage.another({ settings, offsetDays: 0.01 });
    await empty(next, box.dropBoxId);
    expect(await box.view()).toMatchObject({ state: "closed" });
    expect((await bundlesOf(stage, box))["a.log"]?.purge).toHaveProperty("deletedOn");
    hold.letGo();
    await overtaken;
    expect(await copiesIn(stage)).toEqual([]);
    expect(await findings(next)).toEqual([]);
  });
});

describe("one instance at a time empties a drop box", () => {
  test("a second one leaves it to the first, and goes on once the first is dead", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    await box.write("a.log", "a");
    await beginClosing(stage, box);
    const slow = stage.another();
    const hold = slow.faults.holdNext(copyOf("a.log"));
    const first = empty(slow, box.dropBoxId);
    await hold.reached;
    const { calls } = await stage.faults.watching(() => empty(stage, box.dropBoxId));
    expect(calls).toHaveLength(1);
    await empty(stage.another({ offsetDays: 0.01 }), box.dropBoxId);
    expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 1 } });
    hold.letGo();
    await first;
    expect(counted(await stage.events(box.partition))).toMatchObject({ "bundle.created": 1, "dropBox.closed": 1 });
    expectWholeLedger(await stage.events(box.partition));
  });

  test("[invariant 7] one that was paused deletes no container that another still takes files from", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    await box.write("a.log", "a");
    await beginClosing(stage, box);
    const slow = stage.another();
    // It has copied all there was, and is about to say so.
    let lists = 0;
    const hold = slow.faults.holdNext((request) => {
      if (isList(request)) lists += 1;
      return lists > 2 && request.method === "POST" && request.url.includes("$batch");
    });
    const paused = empty(slow, box.dropBoxId);
    await hold.reached;
    await box.write("b.log", "b");
    const next = stage.another({ offsetDays: 0.01 });
    next.faults.failWhere(copyOf("b.log"));
    await empty(next, box.dropBoxId);
    hold.letGo();
    await paused;
    expect(await boxContainers(stage)).toHaveLength(1);
    next.faults.failWhere(undefined);
    await empty(next, box.dropBoxId);
    expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 2, refused: [] } });
    expect(Object.values(await verifiedBundlesOf(next, box)).map(({ state }) => state)).toEqual([
      "accepted",
      "accepted",
    ]);
  });
});

describe("a drop box that is closing", () => {
  test("closes after a quarter of an hour though its customer never stops to write, and tells once what was in it", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    let written = 0;
    /** Each list of the box is followed by one more write. */
    const busy = (offsetDays: number) =>
      stage.another({
        offsetDays,
        policies: [
          {
            name: "busyCustomer",
            sendRequest: async (request, next) => {
              const answer = await next(request);
              written += 1;
              if (isList(request)) await box.write(`${written}.log`, "more").catch(() => {});
              return answer;
            },
          },
        ],
      });
    await box.write("first.log", "first");
    await beginClosing(stage, box);
    await empty(busy(0), box.dropBoxId);
    expect(await box.view()).toMatchObject({ state: "closing" });
    await empty(busy(14 / 1440), box.dropBoxId);
    expect(await box.view()).toMatchObject({ state: "closing" });
    await empty(busy(16 / 1440), box.dropBoxId);
    const view = await box.view();
    expect(view).toMatchObject({ state: "closed", arrived: { refused: [{ code: "TooLate" }] } });
    expect(await boxContainers(stage)).toEqual([]);
    const events = counted(await stage.events(box.partition));
    expect(events).toMatchObject({ "dropBox.emptied": 1, "dropBox.closed": 1 });
    expect(events["bundle.created"]).toBe(view.arrived?.files);
  });

  test("[invariant 7] keeps its container through an outage of ours, however long, until what it took is copied", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    await box.write("a.log", "a");
    await box.write("b.log", "b");
    await beginClosing(stage, box);
    for (const offsetDays of [0, 0.1, 1]) {
      const down = stage.another({ offsetDays });
      down.faults.failWhere(copyOf("a.log"));
      await empty(down, box.dropBoxId);
      expect(await box.view()).toMatchObject({ state: "closing" });
      // One file that fails keeps no other waiting.
      expect(await copiesIn(stage)).toHaveLength(1);
    }
    const later = stage.another({ offsetDays: 1.1 });
    await empty(later, box.dropBoxId);
    expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 2, refused: [] } });
    const bundles = Object.values(await verifiedBundlesOf(later, box));
    expect(bundles.map(({ state }) => state)).toEqual(["accepted", "accepted"]);
  });

  test("gives up what could not be copied by day 4, says so of that bundle, and closes", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    await box.write("a.log", "a");
    await beginClosing(stage, box);
    const down = stage.another();
    down.faults.failWhere(copyOf("a.log"));
    await empty(down, box.dropBoxId);
    await empty(stage.another({ offsetDays: 4.1 }), box.dropBoxId);
    expect(await box.view()).toMatchObject({ state: "closed" });
    expect((await bundlesOf(stage, box))["a.log"]).toMatchObject({
      state: "rejected",
      rejection: { code: "Unverifiable" },
      purge: { deletedOn: expect.any(String) },
    });
  });

  test("loses no file to one stray answer that it has changed", async () => {
    for (const statusCode of [404, 412]) {
      const stage = stageOf();
      const box = await boxIn(stage);
      await box.write("a.log", "a");
      await beginClosing(stage, box);
      let strays = 0;
      const shaky = stage.another({
        policies: [
          {
            name: "stray",
            sendRequest: async (request, next) => {
              if (!copyOf("a.log")(request) || strays > 0) return await next(request);
              strays += 1;
              throw new RestError("stray", { statusCode, request });
            },
          },
        ],
      });
      await empty(shaky, box.dropBoxId);
      expect(strays).toBe(1);
      if ((await box.view()).state !== "closed") await empty(shaky, box.dropBoxId);
      expect(await box.view(), String(statusCode)).toMatchObject({
        state: "closed",
        arrived: { files: 1, refused: [] },
      });
    }
  });

  test("is looked after until its URLs end: a container that an opener who was paused makes anew goes too", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    await box.close();
    await stage.blobs.getContainerClient(box.container.containerName).createIfNotExists();
    await stage.another({ offsetDays: 3.01 }).runTimer("sweepUnfinished");
    expect(await boxContainers(stage)).toEqual([]);
  });
});

test("[invariant 3] a copy that turns up where an erased file of a drop box was is seen by the reconciler, and deleted", async () => {
  const settings = { ERASE_DELAY_HOURS: "0" };
  const stage = stageOf({ settings });
  const box = await boxIn(stage);
  await box.write("a.log", "a");
  await box.close();
  const { "a.log": bundle } = await bundlesOf(stage, box);
  if (bundle === undefined) throw new Error("Nothing arrived");
  await eraseNow(stage, box, bundle.bundleId);
  expect((await bundlesOf(stage, box))["a.log"]?.state).toBe("purged");
  const day = `bundles-${bundle.createdOn.slice(0, 10).replaceAll("-", "")}`;
  const stray = stage.blobs.getContainerClient(day).getBlockBlobClient(`${bundle.stampId}/${bundle.bundleId}`);
  await stray.upload("a", 1);
  expect(await findings(stage)).toEqual(["BytesWithoutRow"]);
  const later = stage.another({ settings, offsetDays: 3.01 });
  await later.runTimer("sweepUnfinished");
  expect(await copiesIn(stage)).toEqual([]);
  await later.runTimer("purgeDue");
  expect(await findings(later)).toEqual([]);
});

test("a message about a drop box that failed five times is alerted with the box's id", async () => {
  const stage = stageOf();
  const box = await boxIn(stage);
  const lines: string[] = [];
  const sink = (_level: string, line: string) => void lines.push(line);
  await withSink(sink, () => stage.app.queues.verifyPoisoned({ dropBoxId: box.dropBoxId }));
  const alerts = lines.filter((line) => line.includes("verification.poisoned"));
  expect(alerts).toEqual([expect.stringContaining(box.dropBoxId)]);
});
