import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { counted, expectWholeLedger, ofBundle } from "../../support/ledger.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import type { Answer } from "../../support/system/http.ts";
import { bundleShape, caseShape, type LedgerEvent } from "../../support/system/shapes.ts";
import { type StampActor, stampActor } from "../../support/system/stamp.ts";
import { putBlob } from "../../support/system/storage.ts";
import { makeZip, sha256Hex } from "../../support/system/zip.ts";
import { accepted, blobsIn } from "./support/bundles.ts";
import { expectNoOrphans } from "./support/outages.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** Two operations at once, on two instances of the app: they end in one of the orders that the rules allow, and the ledger is whole. */

const stageOf = useStages();
const rounds = 12;
const operator = { decidedBy: "operator@contoso.example", reason: "Wrong window" };

type Race = { readonly left: () => Promise<Answer>; readonly right: () => Promise<Answer> };

/** Both at once, either a few milliseconds ahead of the other. */
async function run({ left, right }: Race): Promise<readonly [Answer, Answer]> {
  const ahead = Math.random() * 24 - 12;
  const later = async (wait: number, act: () => Promise<Answer>) => {
    await pause(Math.max(0, wait));
    return act();
  };
  return Promise.all([later(ahead, left), later(-ahead, right)]);
}

const code = (answer: Answer): string => answer.headers["x-ms-error-code"] ?? String(answer.status);

/** The same stamp, speaking with the other instance. */
const onOther = (stage: Stage, { stampId, key }: StampActor): StampActor => stampActor(stage, { stampId, key });

const seqOf = (events: readonly LedgerEvent[], type: string): number =>
  events.find((event) => event.type === type)?.seq ?? Number.NaN;

async function opened(seen: Set<string>, body: (stage: Stage, other: Stage, stamp: StampActor) => Promise<string>) {
  const stage = stageOf();
  const other = stage.another();
  const stamp = await stage.registeredStamp();
  for (let round = 0; round < rounds; round += 1) seen.add(await body(stage, other, stamp));
  expectWholeLedger(await stage.events());
  await expectNoOrphans(stage);
}

test("[invariant 1] submit and cancel: one of them wins", async () => {
  const seen = new Set<string>();
  await opened(seen, async (stage, other, stamp) => {
    const bytes = await makeZip();
    const { bundleId, upload } = await stamp.createBundle({ sizeBytes: bytes.byteLength });
    if (upload === undefined) throw new Error("No upload");
    expectStatus(await putBlob(upload, bytes), 201);
    const [submitted, canceled] = await run({
      left: () => stamp.submit(bundleId, bytes),
      right: () => onOther(other, stamp).call("POST", `${stamp.bundlePath(bundleId)}:cancel`),
    });
    const outcome = `${code(submitted)} ${code(canceled)}`;
    expect(["202 InvalidState", "InvalidState 200"]).toContain(outcome);
    const events = counted(ofBundle(await stage.events(stamp.partition), bundleId));
    if (outcome === "202 InvalidState") {
      expect((await stamp.bundle(bundleId)).state).toBe("submitted");
      expect(events).toEqual({ "bundle.created": 1, "bundle.submitted": 1 });
    } else {
      expect((await stamp.bundle(bundleId)).state).toBe("canceled");
      expect(events).toEqual({ "bundle.created": 1, "bundle.canceled": 1, "bundle.purged": 1 });
      expect((await putBlob(upload, bytes)).status).toBe(404);
    }
    return outcome;
  });
  expect(seen.size).toBeGreaterThan(0);
});

test("[invariant 4] revoking consent and creating a proactive bundle: it is refused, or canceled", async () => {
  await opened(new Set(), async (stage, other, stamp) => {
    await stamp.enableConsent();
    const bytes = await makeZip();
    const trigger = { faultId: "Urp.UpdateFailure", raisedOn: stage.on() };
    const body = await stamp.bundleRequest({ mode: "proactive", trigger, sizeBytes: bytes.byteLength });
    const bundleId = randomUUID();
    const decision = {
      state: "disabled",
      decidedBy: "operator@contoso.example",
      termsVersion: await stage.currentTerms(),
    };
    const [created, revoked] = await run({
      left: () => stamp.call("PUT", stamp.bundlePath(bundleId), body),
      right: () => onOther(other, stamp).call("PUT", `${stamp.path}/consents/proactiveCollection`, decision),
    });
    expectStatus(revoked, 200);
    expect(["201", "ConsentNotGiven"]).toContain(code(created));
    const events = await stage.events(stamp.partition);
    const mine = ofBundle(events, bundleId);
    if (created.status !== 201) expect(mine).toEqual([]);
    else {
      const lastDecision = events.findLast((event) => event.type === "consent.decided");
      expect(seqOf(mine, "bundle.created")).toBeLessThan(lastDecision?.seq ?? 0);
      await stage.another({ offsetDays: 0.1 }).runTimer("sweepUnfinished");
      expect((await stamp.bundle(bundleId)).state).toBe("canceled");
      const { upload } = bundleShape.parse(created.json);
      if (upload !== undefined) expect((await putBlob(upload, bytes)).status).toBe(404);
    }
    return code(created);
  });
});

test("[invariant 5] closing a case and issuing a URL: none is issued after the closing", async () => {
  const stage = stageOf();
  const other = stage.another();
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  for (let round = 0; round < rounds; round += 1) {
    const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
    expectStatus(await supportCase.link(bundle), 201);
    const { grantId } = await supportCase.grant([bundle]);
    const { kind, stampIds, assignees } = caseShape.parse(await supportCase.view());
    const body = { revision: 9, kind, state: "closed", stampIds, assignees };
    const system = await other.person("C");
    const [issued, closed] = await run({
      left: () => supportCase.issueUrl(grantId, bundle),
      right: () => system.call("PUT", supportCase.path, body),
    });
    expectStatus(closed, 200);
    expect(["200", "GrantNotActive"]).toContain(code(issued));
    const events = await stage.events(supportCase.partition);
    if (issued.status === 200) expect(seqOf(events, "url.issued")).toBeLessThan(seqOf(events, "case.closed"));
    else expect(seqOf(events, "url.issued")).toBeNaN();
    expect(code(await supportCase.issueUrl(grantId, bundle))).toBe("GrantNotActive");
  }
  expectWholeLedger(await stage.events());
});

test("[invariant 5] an erasure and issuing a URL: no access is given after the erasure was asked for", async () => {
  await opened(new Set(), async (stage, other, stamp) => {
    const { bundle, bundleId } = await accepted(stage, stamp);
    const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
    expectStatus(await supportCase.link(bundle), 201);
    const { grantId } = await supportCase.grant([bundle]);
    const [issued, erased] = await run({
      left: () => supportCase.issueUrl(grantId, bundle),
      right: () => onOther(other, stamp).call("POST", `${stamp.bundlePath(bundleId)}:erase`, operator),
    });
    expectStatus(erased, 202);
    expect(["200", "PurgeDue"]).toContain(code(issued));
    const events = ofBundle(await stage.events(stamp.partition), bundleId);
    if (issued.status === 200) {
      expect(seqOf(events, "bundle.accessed")).toBeLessThan(seqOf(events, "bundle.erasureRequested"));
    } else expect(seqOf(await stage.events(supportCase.partition), "url.issued")).toBeNaN();
    expect(code(await supportCase.issueUrl(grantId, bundle))).toBe("PurgeDue");
    return code(issued);
  });
});

test("[invariant 1] two equal creates make one bundle with one place to upload to", async () => {
  await opened(new Set(), async (stage, other, stamp) => {
    const bytes = await makeZip();
    const body = await stamp.bundleRequest({ sizeBytes: bytes.byteLength });
    const bundleId = randomUUID();
    const answers = await run({
      left: () => stamp.call("PUT", stamp.bundlePath(bundleId), body),
      right: () => onOther(other, stamp).call("PUT", stamp.bundlePath(bundleId), body),
    });
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 201]);
    const places = answers.map((answer) => new URL(bundleShape.parse(answer.json).upload?.url ?? "").pathname);
    expect(new Set(places).size).toBe(1);
    for (const answer of answers) {
      const { upload } = bundleShape.parse(answer.json);
      if (upload !== undefined) expectStatus(await putBlob(upload, bytes), 201);
    }
    expect(counted(ofBundle(await stage.events(stamp.partition), bundleId))).toEqual({ "bundle.created": 1 });
    return "";
  });
});

test("[invariant 1] two different creates of one bundleId: one is BundleConflict", async () => {
  await opened(new Set(), async (stage, other, stamp) => {
    const bundleId = randomUUID();
    const [body, otherBody] = [await stamp.bundleRequest(), await stamp.bundleRequest({ fileName: "other.zip" })];
    const answers = await run({
      left: () => stamp.call("PUT", stamp.bundlePath(bundleId), body),
      right: () => onOther(other, stamp).call("PUT", stamp.bundlePath(bundleId), otherBody),
    });
    expect(answers.map(code).sort()).toEqual(["201", "BundleConflict"]);
    expect(counted(ofBundle(await stage.events(stamp.partition), bundleId))).toEqual({ "bundle.created": 1 });
    return "";
  });
});

test("[invariant 1] two submits: equal ones both get their 202, of different ones one does", async () => {
  let round = 0;
  await opened(new Set(), async (stage, other, stamp) => {
    const same = round++ % 2 === 0;
    const bytes = await makeZip();
    const { bundleId, upload } = await stamp.createBundle({ sizeBytes: bytes.byteLength });
    if (upload === undefined) throw new Error("No upload");
    expectStatus(await putBlob(upload, bytes), 201);
    const changes = same ? {} : { sha256: sha256Hex(Buffer.from("other")) };
    const answers = await run({
      left: () => stamp.submit(bundleId, bytes),
      right: () => onOther(other, stamp).submit(bundleId, bytes, changes),
    });
    expect(answers.map(code).sort()).toEqual(same ? ["202", "202"] : ["202", "BundleConflict"]);
    const events = ofBundle(await stage.events(stamp.partition), bundleId);
    expect(counted(events)).toEqual({ "bundle.created": 1, "bundle.submitted": 1 });
    return "";
  });
});

test("[invariant 4] disabling a stamp and creating a bundle: it is refused, or canceled", async () => {
  await opened(new Set(), async (stage, other, stamp) => {
    const bundleId = randomUUID();
    const body = await stamp.bundleRequest();
    const registrar = await other.person("R");
    const [created, disabled] = await run({
      left: () => stamp.call("PUT", stamp.bundlePath(bundleId), body),
      right: () => registrar.call("POST", `${stamp.path}:disable`, { reason: "lost" }),
    });
    expectStatus(disabled, 200);
    expect(["201", "StampDisabled"]).toContain(code(created));
    if (created.status === 201) {
      await stage.another({ offsetDays: 0.1 }).runTimer("sweepUnfinished");
      expect((await stamp.bundle(bundleId)).state).toBe("canceled");
    }
    expectStatus(await registrar.call("POST", `${stamp.path}:enable`), 200);
    return code(created);
  });
});

test("[invariant 5] linking and unlinking: case and bundle agree in the end", async () => {
  await opened(new Set(), async (stage, other, stamp) => {
    const bundle = await stamp.createBundle();
    const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
    if (Math.random() < 0.5) expectStatus(await supportCase.link(bundle), 201);
    const system = await other.person("C");
    const [linked, unlinked] = await run({
      left: () => supportCase.link(bundle),
      right: () => system.call("DELETE", supportCase.linkPath(bundle)),
    });
    expect([200, 201]).toContain(linked.status);
    expectStatus(unlinked, 204);
    const repeated = await supportCase.link(bundle);
    const isLinked = repeated.status === 200;
    if (!isLinked) expectStatus(await supportCase.unlink(bundle), 204);
    const { links } = await stamp.bundle(bundle.bundleId);
    expect(links.some((link) => link.caseNumber === supportCase.caseNumber)).toBe(isLinked);
    return "";
  });
});

test("[invariant 3] an erasure that is taken back and asked for again is carried out", async () => {
  const stage = stageOf();
  const other = stage.another();
  const stamp = await stage.registeredStamp();
  const wanted = new Map<string, boolean>();
  for (let round = 0; round < rounds; round += 1) {
    const { bundleId } = await accepted(stage, stamp);
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:erase`, operator), 202);
    const [taken, asked] = await run({
      left: () => stamp.call("POST", `${stamp.bundlePath(bundleId)}:cancelErase`, operator),
      right: () => onOther(other, stamp).call("POST", `${stamp.bundlePath(bundleId)}:erase`, operator),
    });
    expectStatus(taken, 200);
    expectStatus(asked, 202);
    wanted.set(bundleId, (await stamp.bundle(bundleId)).erasure !== undefined);
  }
  await stage.another({ offsetDays: 1.5 }).runTimer("purgeDue");
  for (const [bundleId, isWanted] of wanted) {
    expect((await stamp.bundle(bundleId)).state).toBe(isWanted ? "purged" : "accepted");
  }
  expectWholeLedger(await stage.events());
});

test("[invariant 3] an erasure asked for while the taking back of the last one still cleans up is carried out", async () => {
  const stage = stageOf();
  const other = stage.another();
  const stamp = await stage.registeredStamp();
  const { bundleId } = await accepted(stage, stamp);
  const path = stamp.bundlePath(bundleId);
  expectStatus(await stamp.call("POST", `${path}:erase`, operator), 202);

  const cleaning = stage.faults.holdNext(({ method, url }) => method === "DELETE" && url.includes("/schedule("));
  const takingBack = stamp.call("POST", `${path}:cancelErase`, operator);
  await cleaning.reached;
  expectStatus(await onOther(other, stamp).call("POST", `${path}:erase`, operator), 202);
  cleaning.letGo();
  expectStatus(await takingBack, 200);

  await stage.another({ offsetDays: 1.5 }).runTimer("purgeDue");
  expect((await stamp.bundle(bundleId)).state).toBe("purged");
});

test("[invariant 7] a verification and an erasure without delay: nothing of the bundle is left", async () => {
  const stage = stageOf({ settings: { ERASE_DELAY_HOURS: "0" } });
  const other = stage.another({ settings: { ERASE_DELAY_HOURS: "0" } });
  const stamp = await stage.registeredStamp();
  for (let round = 0; round < rounds; round += 1) {
    const { bundle, bundleId } = await stamp.submittedBundle();
    const [erased] = await run({
      left: () => stamp.call("POST", `${stamp.bundlePath(bundleId)}:erase`, operator),
      right: async () => {
        await other.verify(bundle);
        return stamp.call("GET", stamp.bundlePath(bundleId));
      },
    });
    expectStatus(erased, 202);
    expect(await stamp.bundle(bundleId)).toMatchObject({ state: "purged", purge: { basis: "erasure" } });
    expect(await blobsIn(stage)).toEqual([]);
    expect(counted(ofBundle(await stage.events(stamp.partition), bundleId))).toMatchObject({
      "bundle.purgeIntended": 1,
      "bundle.purged": 1,
    });
  }
  expectWholeLedger(await stage.events());
});

test("[invariant 1] two instances purge a day at once: every event is there once", async () => {
  const stage = stageOf();
  const stamps = [await stage.registeredStamp(), await stage.registeredStamp()];
  for (const stamp of stamps) {
    for (let count = 0; count < 3; count += 1) await accepted(stage, stamp);
  }
  const instances = [81, 81, 81].map((offsetDays) => stage.another({ offsetDays }));
  await Promise.all(instances.map((instance) => instance.runTimer("purgeDue")));
  const events = await stage.events();
  expectWholeLedger(events);
  expect(counted(events)).toMatchObject({
    "container.purgeIntended": 1,
    "container.purged": 1,
    "bundle.purged": 6,
  });
});

test("[invariant 1] a hundred creates of one stamp at once, on two instances: none is refused, and the chain has no gap", async () => {
  const settings = { STAMP_MAX_OPEN_UPLOADS: "200" };
  const stage = stageOf({ settings });
  const other = stage.another({ settings });
  const stamp = await stage.registeredStamp();
  const stamps = [stamp, onOther(other, stamp)];
  const sizeBytes = (await makeZip()).byteLength;
  const ids = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => stamps[index % 2]?.createBundle({ sizeBytes })),
  );
  expect(new Set(ids.map((bundle) => bundle?.bundleId)).size).toBe(100);
  const events = await stage.events(stamp.partition);
  expect(counted(events)).toMatchObject({ "bundle.created": 100 });
  expectWholeLedger(events);
});
