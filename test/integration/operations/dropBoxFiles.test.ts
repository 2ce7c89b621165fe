import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { counted } from "../../support/ledger.ts";
import type { DropBoxActor } from "../../support/system/dropBoxes.ts";
import { readAll } from "../../support/system/world.ts";
import { makeZip, sha256Hex } from "../../support/system/zip.ts";
import { bundlesOf, empty, openDropBox, verifiedBundlesOf } from "./support/dropBoxes.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** What people put into a drop box, and when. */

const stageOf = useStages();
const slow = 240_000;

const boxIn = async (stage: Stage): Promise<DropBoxActor> => openDropBox(stage, await stage.openCase());

describe("a drop box takes", () => {
  test("files whose names are no valid path, each under a name that is one", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    const names = [
      "..zip",
      "a?b#c%d&e+f g.log",
      "C:\\logs\\x.log",
      'quo"te<>|*.txt',
      "ünïcode-日本.json",
      "deep/er/est/.log",
    ];
    for (const name of names) await box.write(name, name);
    expect(await box.close()).toMatchObject({ state: "closed", arrived: { files: names.length, refused: [] } });
    const bundles = await bundlesOf(stage, box);
    expect(Object.keys(bundles).sort()).toEqual(
      ["..zip", "C__logs_x.log", "a_b#c%d&e+f g.log", "deep_er_est_.log", "quo_te____.txt", "ünïcode-日本.json"].sort(),
    );
    const verified = await verifiedBundlesOf(stage, box);
    expect(verified["deep_er_est_.log"]?.sha256).toBe(sha256Hex(Buffer.from("deep/er/est/.log")));
    // By its name a zip, and none.
    expect(verified["..zip"]).toMatchObject({ state: "rejected", rejection: { code: "NotAZip" } });
  });

  test("two files that come to have one name as two bundles", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    await box.write("a/b.log", "one");
    await box.write("a_b.log", "two");
    expect(await box.close()).toMatchObject({ arrived: { files: 2 } });
    expect(counted(await stage.events(box.partition))).toMatchObject({ "bundle.created": 2, "bundle.submitted": 2 });
  });

  test("no more files than it may, zips first, and tells how many it refused", { timeout: slow }, async () => {
    const stage = stageOf({ settings: { MAX_DROP_BOX_FILES: "20" } });
    const box = await boxIn(stage);
    for (let n = 0; n < 30; n += 1) await box.write(`a${n}.log`, "x");
    for (let n = 0; n < 2; n += 1) await box.write(`z${n}.zip`, await makeZip());
    expect(await box.close()).toMatchObject({
      state: "closed",
      arrived: { files: 20, refused: [{ code: "TooManyFiles", files: 12 }] },
    });
    expect(Object.keys(await bundlesOf(stage, box))).toEqual(expect.arrayContaining(["z0.zip", "z1.zip"]));
  });

  test("what it can verify: nothing empty, too large or out of reach", async () => {
    const stage = stageOf({ settings: { MAX_BUNDLE_BYTES: "1000" } });
    const box = await boxIn(stage);
    await box.write("empty.zip");
    await box.write("large.zip", Buffer.alloc(1001));
    await box.write("good.log", "good");
    await box.container.getAppendBlobClient("append.log").create();
    await box.container.getAppendBlobClient("append.log").appendBlock("more", 4);
    await box.container.getPageBlobClient("page.vhd").create(512);
    const { arrived } = await box.close();
    expect(arrived).toMatchObject({ files: 1, bytes: 4 });
    expect(Object.fromEntries((arrived?.refused ?? []).map(({ code, files }) => [code, files]))).toEqual({
      EmptyFile: 1,
      FileTooLarge: 1,
      UnusableBlob: 2,
    });
  });
});

test("the engineers of its case see also what was rejected, and why", async () => {
  const stage = stageOf();
  const supportCase = await stage.openCase();
  const box = await openDropBox(stage, supportCase);
  await box.write("cut.zip", (await makeZip()).subarray(0, 50));
  await box.close();
  await verifiedBundlesOf(stage, box);
  expect(await readAll(supportCase.engineer.call, `${supportCase.path}/bundles`)).toMatchObject([
    { fileName: "cut.zip", state: "rejected", rejection: { code: "NotAZip" } },
  ]);
});

describe("while a drop box closes", () => {
  const isCopy = ({ method, headers }: { method: string; headers: { has: (name: string) => boolean } }) =>
    method === "PUT" && headers.has("x-ms-copy-source");

  test("a file that comes in between is in", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    await box.write("first.log", "first");
    const hold = stage.faults.holdNext(isCopy);
    const closing = box.close();
    await hold.reached;
    await box.write("second.log", "second");
    hold.letGo();
    expect(await closing).toMatchObject({ state: "closed", arrived: { files: 2, refused: [] } });
  });

  test("a file that is overwritten in between is in as it is in the end", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    await box.write("logs.log", "before");
    const hold = stage.faults.holdNext(isCopy);
    const closing = box.close();
    await hold.reached;
    await box.write("logs.log", "after, and longer");
    hold.letGo();
    expect(await closing).toMatchObject({ state: "closed", arrived: { files: 1, refused: [] } });
    const { "logs.log": bundle } = await verifiedBundlesOf(stage, box);
    expect(bundle?.sha256).toBe(sha256Hex(Buffer.from("after, and longer")));
  });

  test("a second closer does no harm", { timeout: slow }, async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    for (let n = 0; n < 40; n += 1) await box.write(`${n}.log`, String(n));
    const engineer = await stage.person("C");
    await engineer.call("POST", `${box.path}:close`);
    await Promise.all([
      empty(stage, box.dropBoxId),
      empty(stage.another(), box.dropBoxId),
      empty(stage, box.dropBoxId),
    ]);
    await box.close();
    expect(await box.view()).toMatchObject({ state: "closed", arrived: { files: 40, bytes: 70, refused: [] } });
    expect(counted(await stage.events(box.partition))).toMatchObject({
      "bundle.created": 40,
      "bundle.submitted": 40,
      "dropBox.closing": 1,
      "dropBox.closed": 1,
    });
  });
});

describe("a message of Event Grid", () => {
  const message = (
    box: { dropBoxId: string; container: { containerName: string } },
    account: string,
    changes = {},
  ) => ({
    id: randomUUID(),
    topic: `/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/${account}`,
    subject: `/blobServices/default/containers/${box.container.containerName}/blobs/a/b.zip`,
    eventType: "Microsoft.Storage.BlobCreated",
    eventTime: new Date().toISOString(),
    dataVersion: "",
    metadataVersion: "1",
    data: { api: "PutBlob", contentType: "application/zip", contentLength: 1, blobType: "BlockBlob", eTag: "0x8D" },
    ...changes,
  });

  /** Whether the box is looked at within these hours. */
  const isDueIn = async (stage: Stage, hours: number): Promise<boolean> => {
    for await (const work of stage.app.world.schedule.due(new Date(Date.now() + hours * 3_600_000)))
      if (work.kind === "dropBox") return true;
    return false;
  };
  const accountOf = (stage: Stage) => stage.app.world.storehouse.accounts[0] ?? "";

  test("of a write to a box moves the next look at it to a day later, in both schemas and however often it comes", async () => {
    for (const inCloud of [false, true]) {
      const stage = stageOf();
      const box = await boxIn(stage);
      expect(await isDueIn(stage, 2)).toBe(true);
      const { topic, eventType, eventTime, ...rest } = message(box, accountOf(stage), {
        data: { api: "PutBlockList" },
      });
      const sent = inCloud
        ? { ...rest, specversion: "1.0", source: topic, type: eventType, time: eventTime }
        : { ...rest, topic, eventType, eventTime };
      await stage.app.queues.arrivals(sent);
      await stage.app.queues.arrivals(sent);
      expect([await isDueIn(stage, 23), await isDueIn(stage, 24.1)]).toEqual([false, true]);
    }
  });

  test("that is out of order or of a time to come keeps no box open past its end", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    const account = accountOf(stage);
    await stage.app.queues.arrivals(message(box, account, { eventTime: "2099-01-01T00:00:00Z" }));
    expect([await isDueIn(stage, 23), await isDueIn(stage, 24.1)]).toEqual([false, true]);
    await stage.app.queues.arrivals(message(box, account, { eventTime: "2001-01-01T00:00:00Z" }));
    expect(await isDueIn(stage, 24.1)).toBe(true);
    // A look that comes early finds the box as it is.
    await box.write("a.log", "a");
    await stage.another({ offsetDays: 1.01 }).runTimer("sweepUnfinished");
    expect(await box.view()).toMatchObject({ state: "open" });
    await stage.another({ offsetDays: 3.01 }).runTimer("sweepUnfinished");
    expect(await box.view()).toMatchObject({ state: "closing", closing: { reason: "expired" } });
  });

  test("that is forged, malformed or for another container changes nothing, and is not tried again", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    const account = accountOf(stage);
    const at = (container: string) => ({ subject: `/blobServices/default/containers/${container}/blobs/a.zip` });
    const messages: unknown[] = [
      undefined,
      "",
      "{",
      42,
      [],
      {},
      [message(box, account)],
      message(box, account, { eventType: "Microsoft.Storage.BlobDeleted" }),
      message(box, account, { eventTime: "yesterday" }),
      message(box, account, { subject: `/blobServices/default/containers/${box.container.containerName}` }),
      message(box, account, { subject: null }),
      message(box, account, { topic: "storageAccounts" }),
      message(box, account, { data: {} }),
      message(box, account, { data: { api: "PutBlock" } }),
      message(box, account, { data: { api: "DeleteBlob" } }),
      message(box, account, at("bundles-20261123")),
      message(box, account, at("landing-20261123-0")),
      message(box, account, at(`box-20261123-${randomUUID()}`)),
      message(box, account, at(`box-19991231-${box.dropBoxId}`)),
      message(box, account, at("box-..")),
      message(box, "another"),
      message(
        { ...box, container: { containerName: `box-20261123-${(await stage.registeredStamp()).stampId}` } },
        account,
      ),
    ];
    const before = await stage.events();
    for (const each of messages) await stage.app.queues.arrivals(each);
    expect(await isDueIn(stage, 2)).toBe(true);
    expect(await stage.events()).toEqual(before);
    expect(await box.view()).toMatchObject({ state: "open" });
  });

  test("that comes when the box is closed, or storage is out of reach, does no harm", async () => {
    const stage = stageOf();
    const box = await boxIn(stage);
    stage.faults.failWhere(() => true);
    await stage.app.queues.arrivals(message(box, accountOf(stage)));
    stage.faults.failWhere(undefined);
    await box.close();
    await stage.app.queues.arrivals(message(box, accountOf(stage)));
    // Until its URLs end the container's name is looked after.
    expect([await isDueIn(stage, 71), await isDueIn(stage, 73)]).toEqual([false, true]);
  });
});
