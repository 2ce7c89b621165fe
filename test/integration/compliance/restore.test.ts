import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { QueueServiceClient } from "@azure/storage-queue";
import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import {
  bundleId as bundleIdSchema,
  caseNumber,
  grantId as grantIdSchema,
  stampId as stampIdSchema,
  toUtcTime,
} from "../../../shared/api/primitives.ts";
import type { BundleRecord } from "../../../shared/domain/bundle.ts";
import { utcDay } from "../../../shared/domain/utcDay.ts";
import { all } from "../../../shared/operations/bounded.ts";
import { getRetention } from "../../../shared/operations/compliance/retention.ts";
import { expectWholeLedger } from "../../support/ledger.ts";
import { approve, deny, setApproval } from "../../support/system/approvals.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import type { LedgerEvent } from "../../support/system/shapes.ts";
import { stampActor } from "../../support/system/stamp.ts";
import { getBlob } from "../../support/system/storage.ts";
import { makeZip, sha256Hex } from "../../support/system/zip.ts";
import { accepted, blobsIn } from "../operations/support/bundles.ts";
import { boxContainers, empty, openDropBox, verifiedBundlesOf } from "../operations/support/dropBoxes.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";

/** The drill of `docs/runbook.md`: the state account is lost with all its tables and queues; the records and the bundles' accounts remain. */

const stages = useStages();

const settings = {
  CHECKPOINT_CONTAINER_URL: "https://records.example/checkpoints",
  LEDGER_EXPORT_CONTAINER_URL: "https://records.example/ledger",
  ERASE_DELAY_HOURS: "24",
};

async function withRecords(): Promise<Stage> {
  const stage = stages({ settings });
  await Promise.all(["checkpoints", "ledger"].map((name) => stage.blobs.getContainerClient(name).create()));
  return stage;
}

/** Two stamps, a bundle in each state, a case with a link and a grant under which one was read. */
async function live() {
  const stage = await withRecords();
  const [stamp, disabled] = [await stage.registeredStamp(), await stage.registeredStamp()];
  await stamp.enableConsent();
  const { bundle } = await accepted(stage, stamp);
  const gone = await accepted(stage, stamp);
  const erased = await accepted(stage, stamp, { mode: "proactive", consent: undefined });
  const said = { decidedBy: "operator@contoso.example", reason: "It was the wrong one." };
  expectStatus(await stamp.call("POST", `${stamp.bundlePath(erased.bundleId)}:erase`, said), 202);
  const atOnce = stampActor(stage.another({ settings: { ...settings, ERASE_DELAY_HOURS: "0" } }), stamp);
  expectStatus(await atOnce.call("POST", `${stamp.bundlePath(gone.bundleId)}:erase`, said), 202);
  await stamp.createBundle();
  const canceled = await stamp.createBundle();
  expectStatus(await stamp.call("POST", `${stamp.bundlePath(canceled.bundleId)}:cancel`), 200);
  const rejected = await stamp.submittedBundle({}, Buffer.from("no zip at all"));
  await stage.verify(rejected.bundle);
  const submitted = await stamp.submittedBundle();
  await accepted(stage, disabled);
  expectStatus(await (await stage.person("R")).call("POST", `${disabled.path}:disable`, { reason: "lost" }), 200);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { grantId } = await supportCase.grant([bundle]);
  await supportCase.url(grantId, bundle);
  const listed = await supportCase.engineer.call("GET", `${supportCase.linkPath(bundle)}/files`);
  expectStatus(listed, 200);
  await stage.app.timers.reconcile();
  await stage.app.timers.sealCheckpoint();
  return { stage, stamp, disabled, bundle, submitted, supportCase, grantId };
}

/** What nothing brings back, and the wording of what is brought back, is not compared. */
function told({ fileName, requestDigest, traceId, links, erasure, rejection, ...bundle }: BundleRecord) {
  return {
    ...bundle,
    links: links.map(({ caseNumber }) => caseNumber),
    erasure: erasure && { ...erasure, reasonNote: undefined },
    rejection: rejection?.code,
  };
}

async function rowsOf({ app: { world } }: Stage, stamp: string) {
  const stampId = stampIdSchema.parse(stamp);
  const history = await all(world.stamps.history(stampId));
  const bundles = await Promise.all(
    history.map(({ item }) => world.stamps.bundle(stampId, bundleIdSchema.parse(item))),
  );
  return {
    bundles: bundles.map((bundle) => bundle && told(bundle)),
    open: await all(world.stamps.openBundles(stampId)),
    cases: await all(world.stamps.cases(stampId)),
    decisions: await all(world.stamps.decisions(stampId)),
    accesses: (await all(world.stamps.accesses(stampId))).map(({ item }) => ({ ...item, accessId: undefined })),
  };
}

/** What the report says that does not depend on when it is asked. */
async function reportOf(stage: Stage) {
  await stage.app.timers.foldLedger();
  const { asOf, freshAsOf, reconciledOn, oldestByte, ...report } = await getRetention(stage.app.world);
  return { ...report, oldestByte: oldestByte && { ...oldestByte, ageDays: undefined } };
}

async function eventsOf({ app: { world } }: Stage): Promise<LedgerEvent[]> {
  const partitions = [
    ...(await all(world.directory.cases())).map(({ item }) => `cases/${item}`),
    "service",
    ...(await all(world.directory.senders())).map(({ item }) => `stamps/${item}`),
  ];
  return (await Promise.all(partitions.map((partition) => all(world.events.of(partition, 0))))).flat();
}

const withoutCheckpoints = (events: readonly LedgerEvent[]) =>
  events.filter(({ type }) => type !== "checkpoint.sealed" && type !== "ledger.restored");

async function loseState({ tables, connectionString }: Stage): Promise<void> {
  for await (const { name = "" } of tables.listTables()) await tables.deleteTable(name);
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  for await (const { name } of queues.listQueues()) await queues.deleteQueue(name);
}

const restored = async (stage: Stage, options: { offsetDays?: number } = {}): Promise<Stage> => {
  const next = stage.another({ settings, ...options });
  await next.app.restore();
  return next;
};

const withoutRecords = async (stage: Stage) =>
  (await blobsIn(stage)).filter((name) => !name.startsWith("checkpoints/") && !name.startsWith("ledger/"));

describe("a lost state account", () => {
  test("[invariant 1] is rebuilt: rows, history, report and chains are what they were at the last checkpoint", async () => {
    const { stage, stamp, disabled, supportCase } = await live();
    const before = {
      rows: await rowsOf(stage, stamp.stampId),
      others: await rowsOf(stage, disabled.stampId),
      report: await reportOf(stage),
      events: withoutCheckpoints(await eventsOf(stage)),
      said: (await stage.app.world.service.head()).state?.said,
    };
    expect(before.said).toMatchObject({ settings: { ERASE_DELAY_HOURS: 24 } });
    expect(before.rows.bundles.map((bundle) => bundle?.state).sort()).toEqual([
      "accepted",
      "accepted",
      "canceled",
      "created",
      "purged",
      "rejected",
      "submitted",
    ]);
    await loseState(stage);
    const next = await restored(stage);
    expect(await rowsOf(next, stamp.stampId)).toEqual(before.rows);
    expect(await rowsOf(next, disabled.stampId)).toEqual(before.others);
    expect(await reportOf(next)).toEqual(before.report);
    expect((await next.app.world.service.head()).state?.said).toEqual(before.said);
    const events = await eventsOf(next);
    expect(withoutCheckpoints(events)).toEqual(before.events);
    expectWholeLedger(events);
    expect(events.map(({ type }) => type)).toContain("ledger.restored");
    expect(await all(next.app.world.cases.links(caseNumber.parse(supportCase.caseNumber)))).toHaveLength(1);
  });

  test("[invariant 10] goes on from the checkpoints that auditors hold, also when the restore died and ran again", async () => {
    const { stage } = await live();
    await loseState(stage);
    const dying = stage.another({ settings });
    let writes = 0;
    dying.faults.failWhere(({ method, url }) => method === "POST" && url.includes("$batch") && ++writes > 12);
    await expect(dying.app.restore()).rejects.toThrow();
    const next = await restored(stage);
    expect(await next.app.restore()).toMatchObject({ checkpoint: 1, recordsAreTorn: false });
    await next.registeredStamp();
    await next.app.timers.sealCheckpoint();
    const sealed = await all(next.app.world.checkpoints.list());
    expect(sealed.map(({ item }) => item.seq)).toEqual([1, 2]);
    const [first, second] = sealed.map(({ item }) => item.checkpoint);
    expect(decodeJwt(second ?? "").prevHash).toBe(sha256Hex(Buffer.from(first ?? "")));
    const events = await eventsOf(next);
    expectWholeLedger(events);
    expect(events.filter(({ type }) => type === "ledger.restored")).toHaveLength(1);
    // What was kept since is as good as what was kept before.
    await loseState(next);
    const again = await restored(next);
    expect(withoutCheckpoints(await eventsOf(again))).toEqual(
      withoutCheckpoints(events.filter(({ type }) => type !== "checkpoint.sealed")),
    );
  });

  test("[invariant 7] verifies what was submitted, and takes new bundles once its stamp is registered again", async () => {
    const { stage, stamp, submitted } = await live();
    await loseState(stage);
    const next = await restored(stage);
    await next.runTimer("sweepUnfinished");
    await next.verify(submitted.bundle);
    const actor = stampActor(next, stamp);
    expectRefusal(await actor.call("GET", actor.path), 401, "KeyUnknown");
    expectStatus(await actor.register(), 200);
    expect((await actor.bundle(submitted.bundleId)).state).toBe("accepted");
    const consent = await actor.call("GET", `${actor.path}/consents/proactiveCollection`);
    expect(expectStatus(consent, 200).json).toMatchObject({ state: "notGiven" });
    await accepted(next, actor);
  });

  test("[invariant 5] lends nothing under grants of people whom it does not know any more", async () => {
    const { stage, bundle, supportCase, grantId } = await live();
    await loseState(stage);
    const next = await restored(stage);
    const { engineer } = supportCase;
    const asNow = await next.person("E", engineer.oid);
    expectRefusal(await supportCase.issueUrl(grantId, bundle, asNow), 404, "NotFound");
    const known = await next.openCase({
      caseNumber: "9".repeat(16),
      stampIds: [bundle.stampId],
      engineers: [asNow],
    });
    expectStatus(await known.link(bundle), 201);
    const again = await known.grant([bundle]);
    expectStatus(await getBlob(await known.url(again.grantId, bundle)), 200);
  });

  test("[invariant 5] still asks the operator: the setting, what waits, and what was answered are as they were", async () => {
    const stage = await withRecords();
    const stamp = await stage.registeredStamp();
    const { bundle } = await accepted(stage, stamp);
    expectStatus(await setApproval(stamp, "required"), 200);
    const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
    expectStatus(await supportCase.link(bundle), 201);
    const grants = [
      await supportCase.grant([bundle]),
      await supportCase.grant([bundle]),
      await supportCase.grant([bundle]),
      await supportCase.grant([bundle]),
    ] as const;
    const [waiting, approved, denied, revoked] = grants.map(({ grantId }) => grantIdSchema.parse(grantId));
    expectStatus(await approve(stamp, `${approved}`), 200);
    expectStatus(await deny(stamp, `${denied}`), 200);
    const revocation = `${supportCase.path}/accessGrants/${revoked}:revoke`;
    expectStatus(await supportCase.engineer.call("POST", revocation), 200);
    await stage.app.timers.sealCheckpoint();
    const stampId = stampIdSchema.parse(stamp.stampId);
    const rows = async ({ app: { world } }: Stage) => ({
      mode: (await world.stamps.head(stampId)).state,
      open: await all(world.stamps.openRequests(stampId)),
      grants: await Promise.all(
        [waiting, approved, denied, revoked].map(async (id) => {
          if (id === undefined) throw new Error("Four grants");
          const grant = await world.cases.grant(caseNumber.parse(supportCase.caseNumber), id);
          const request = await world.stamps.request(stampId, id);
          const { answer, ...asked } = request ?? {};
          return [{ ...grant, justificationNote: "" }, asked, answer && { ...answer, reasonNote: undefined }];
        }),
      ),
    });
    const before = await rows(stage);
    expect(before.open.map(({ item }) => item)).toEqual([waiting]);
    await loseState(stage);
    const next = await restored(stage);
    const after = await rows(next);
    expect(after.grants).toEqual(before.grants);
    expect(after.open).toEqual(before.open);
    expect(after.mode).toMatchObject({ accessApproval: { mode: "required" } });
    expectWholeLedger(await eventsOf(next));
  });

  test("[invariant 3] outlives no day: what is due goes first, and so does what no row knows any more", async () => {
    const { stage, stamp, bundle } = await live();
    // After the last checkpoint: nothing of it is in the records.
    const unknown = await accepted(stage, stamp);
    const upload = await stamp.createBundle();
    await stamp.upload(upload, await makeZip());
    await loseState(stage);
    const next = await restored(stage);
    await next.runTimer("sweepUnfinished");
    await next.app.timers.reconcile();
    const { violations } = await getRetention(next.app.world);
    const found = violations.map(({ code }) => code);
    expect(found).toContain("BytesWithoutRow");
    expect(found).toContain("LandingWithoutUpload");
    const held = await withoutRecords(next);
    expect(held.some((name) => name.endsWith(unknown.bundleId))).toBe(true);
    expect(held.some((name) => name.endsWith(bundle.bundleId))).toBe(true);

    const due = stage.another({ settings, offsetDays: 81 });
    await due.runTimer("purgeDue");
    expect((await withoutRecords(due)).filter((name) => name.startsWith("bundles-"))).toEqual([]);
  });

  test("that was lost until after the day: nothing is readable, and the purge deletes it", async () => {
    const { stage, stamp, bundle } = await live();
    await loseState(stage);
    const late = await restored(stage, { offsetDays: 81 });
    const engineer = await late.engineer();
    const supportCase = await late.openCase({ stampIds: [stamp.stampId], engineers: [engineer] });
    expectStatus(await supportCase.link(bundle), 201);
    const asked = await engineer.call(
      "PUT",
      `${supportCase.path}/accessGrants/${randomUUID()}`,
      supportCase.grantRequest([bundle]),
    );
    expect(asked.status).toBeGreaterThanOrEqual(400);
    await late.runTimer("purgeDue");
    await late.runTimer("sweepUnfinished");
    expect(await withoutRecords(late)).toEqual([]);
    const rows = await rowsOf(late, stamp.stampId);
    expect(rows.bundles.map((row) => row?.state)).not.toContain("accepted");
  });

  test("brings drop boxes back as well: what had arrived, and an open one that goes on taking files", async () => {
    const stage = await withRecords();
    const supportCase = await stage.openCase();
    const full = await openDropBox(stage, supportCase);
    await full.write("logs.zip", await makeZip());
    await full.write("empty.log", "");
    await full.close();
    await verifiedBundlesOf(stage, full);
    const open = await openDropBox(stage, supportCase);
    await stage.app.timers.sealCheckpoint();
    const boxOf = async ({ app: { world } }: Stage, id: string) =>
      (await world.stamps.head(stampIdSchema.parse(id))).state;
    const bundlesOf = async (of: Stage) =>
      (await rowsOf(of, full.stampId)).bundles.map((bundle) => ({
        ...bundle,
        // What a file was called tells its type, and its row was made a moment before its event.
        contentType: undefined,
        pathNote: undefined,
        submittedOn: undefined,
      }));
    const before = { full: await boxOf(stage, full.stampId), open: await boxOf(stage, open.stampId) };
    const bundles = await bundlesOf(stage);
    await loseState(stage);
    const next = await restored(stage);
    expect(await bundlesOf(next)).toEqual(bundles);
    const untold = { requestDigest: expect.any(String), emailNote: undefined };
    expect(await boxOf(next, open.stampId)).toEqual({ ...before.open, ...untold });
    const emptied = expect.objectContaining({ files: 1, refused: [{ code: "EmptyFile", files: 1 }] });
    expect(await boxOf(next, full.stampId)).toEqual({ ...before.full, ...untold, emptied });
    await open.write("later.zip", await makeZip());
    await next.another({ settings, offsetDays: 4 }).runTimer("sweepUnfinished");
    await empty(next, open.dropBoxId);
    expect(await boxOf(next, open.stampId)).toMatchObject({ state: "closed", emptied: { files: 1 } });
    expect(await boxContainers(next)).toEqual([]);
  });

  test("[invariant 3] what is due is deleted before the replay, though the replay fails", async () => {
    const { stage } = await live();
    await loseState(stage);
    const later = stage.another({ settings, offsetDays: 81 });
    later.faults.failWhere(({ url }) => new URL(url).pathname.includes("/stamps"));
    await expect(later.app.restore()).rejects.toThrow();
    expect(await withoutRecords(stage)).toEqual([]);
  });

  test("[invariant 3] days that were purged before the loss are held no more, and the purge runs on", async () => {
    const { stage } = await live();
    const later = stage.another({ settings, offsetDays: 81 });
    await later.runTimer("sweepUnfinished");
    await later.runTimer("purgeDue");
    await later.app.timers.sealCheckpoint();
    expect(await all(later.app.world.schedule.heldDays())).toEqual([]);
    await loseState(stage);
    const next = await restored(stage, { offsetDays: 82 });
    const { world } = next.app;
    expect(await all(world.schedule.heldDays())).toEqual([]);
    await next.runTimer("purgeDue");
    expect((await getRetention(world)).violations).toEqual([]);
  });

  test("[invariant 3] a day on a drained account that was taken out of the settings does not fail the purge of the others", async () => {
    const { stage, stamp, bundle } = await live();
    const elsewhere = { day: utcDay(stage.now()), account: "drained", purgeOn: toUtcTime(stage.now()) };
    await stage.app.world.schedule.holdDay(elsewhere);
    const later = stage.another({ settings, offsetDays: 81 });
    await later.runTimer("purgeDue");
    expect((await stampActor(later, stamp).bundle(bundle.bundleId)).state).toBe("purged");
    expect(later.logged.filter((line) => line.includes("purge.accountNotConfigured"))).toHaveLength(1);
    await later.app.timers.reconcile();
    const { violations } = await getRetention(later.app.world);
    expect(violations.map(({ code }) => code)).toContain("AccountNotConfigured");
  });

  test("is not rebuilt from records that are not what was sealed, nor into tables that hold another ledger", async () => {
    const { stage, disabled } = await live();
    await loseState(stage);
    const forger = stage.blobs.getContainerClient("ledger").getBlockBlobClient("0000000001.ndjson");
    const text = (await forger.downloadToBuffer()).toString();
    const lines = text.trimEnd().split("\n");
    const put = async (changed: readonly string[]) => {
      const body = `${changed.join("\n")}\n`;
      await forger.upload(body, Buffer.byteLength(body));
    };
    await put(lines.map((line) => line.replace('"reason":"lost"', '"reason":"compromised"')));
    await expect(stage.another({ settings }).app.restore()).rejects.toThrow("does not follow");
    await loseState(stage);
    await put(lines.filter((line) => !line.includes(disabled.stampId)));
    await expect(stage.another({ settings }).app.restore()).rejects.toThrow("do not add up to checkpoint 1");
    await put(lines);
    await expect(stage.another().app.restore()).rejects.toThrow("CHECKPOINT_CONTAINER_URL");
  });

  test("is rebuilt by the command of the runbook", async () => {
    const { stage, stamp } = await live();
    const before = await rowsOf(stage, stamp.stampId);
    await loseState(stage);
    const script = resolve(import.meta.dirname, "../../../local/restore.ts");
    const environment = { PATH: process.env.PATH, ...stage.environment };
    const { stdout } = await promisify(execFile)(process.execPath, [script], { env: environment });
    expect(stdout).toMatch(/^Restored \d+ events of 4 partitions, up to checkpoint 1\.\nNext: /);
    expect(await rowsOf(stage, stamp.stampId)).toEqual(before);
    const failed = promisify(execFile)(process.execPath, [script], { env: { PATH: process.env.PATH } });
    await expect(failed).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("PUBLIC_ORIGIN") });
  });
});
