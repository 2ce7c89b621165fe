import { expect, test } from "vitest";
import { bundleId, caseNumber, stampId } from "../../../shared/api/primitives.ts";
import { submitBundle } from "../../../shared/operations/bundles/submitBundle.ts";
import type { StampCaller } from "../../../shared/operations/caller.ts";
import { linkByRequest, unlinkByRequest } from "../../../shared/operations/cases/links.ts";
import { decideConsent } from "../../../shared/operations/consents/decideConsent.ts";
import { HeadMoved, type World } from "../../../shared/operations/needs.ts";
import { sweepUnfinished } from "../../../shared/operations/purge/sweepUnfinished.ts";
import { expectStatus } from "../../support/system/expectations.ts";
import type { StampActor } from "../../support/system/stamp.ts";
import { makeZip, sha256Hex } from "../../support/system/zip.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** What dies on the way is finished by the sweeper, also where the sweeper came by at the wrong moment (invariant 7). */

const stageOf = useStages();

const minutes = (count: number) => count / 24 / 60;

async function landings(stage: Stage): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of stage.blobs.listContainers({ prefix: "landing-" })) names.push(name);
  return names;
}

test("[invariant 4] a revocation that died after its commit is shown and carried out, though the sweeper had looked just before", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { termsVersion } = await stamp.enableConsent();
  const created = await stamp.createBundle({ mode: "proactive" });
  const { world } = stage.app;
  const dying: World = {
    ...world,
    stamps: {
      ...world.stamps,
      commit: async (...change) => {
        await sweepUnfinished(world);
        await world.stamps.commit(...change);
        throw new Error("died (a test)");
      },
    },
  };
  const caller = await callerOf(stage, stamp);
  const said = { state: "disabled", decidedBy: "operator@contoso.example", termsVersion: termsVersion ?? "" } as const;
  await expect(decideConsent(dying, caller, said, { ifMatch: undefined })).rejects.toThrow("died");

  await stage.another({ offsetDays: minutes(2) }).runTimer("sweepUnfinished");
  expect(await landings(stage)).toEqual([]);
  expect((await stamp.bundle(created.bundleId)).purge?.deletedOn).toEqual(expect.any(String));
});

test("[invariant 5] a link that was repeated while it was taken back, and died on the way, lends nothing", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const bundle = await stamp.createBundle();
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { world } = stage.app;
  const oid = supportCase.engineer.oid;
  const subject = await world.people.subjectOf({ scope: "entra", identity: oid });
  const caller = { kind: "token", role: "E", oid, subject } as const;
  const place = {
    caseNumber: caseNumber.parse(supportCase.caseNumber),
    stampId: stampId.parse(bundle.stampId),
    bundleId: bundleId.parse(bundle.bundleId),
  };
  // An unlinking that died halfway: the case has the link, the bundle has not.
  const halfway = { ...world, cases: { ...world.cases, commit: () => Promise.reject(new Error("died (a test)")) } };
  await expect(unlinkByRequest(halfway, caller, place)).rejects.toThrow("died");

  let reads = 0;
  let unlinked = false;
  const dying: World = {
    ...world,
    cases: {
      ...world.cases,
      link: async (...of) => {
        reads += 1;
        if (reads > 2) throw new Error("died (a test)");
        return await world.cases.link(...of);
      },
    },
    stamps: {
      ...world.stamps,
      commit: async (...change) => {
        if (unlinked) return await world.stamps.commit(...change);
        unlinked = true;
        await unlinkByRequest(world, caller, place);
        throw new HeadMoved("overtaken (a test)");
      },
    },
  };
  await expect(linkByRequest(dying, caller, place, { ifMatch: undefined })).rejects.toThrow("died");
  expect(unlinked).toBe(true);

  await stage.another({ offsetDays: minutes(2) }).runTimer("sweepUnfinished");
  expect((await stamp.bundle(bundle.bundleId)).links).toEqual([]);
});

test("[invariant 7] a submit that died before it asked for verification is taken up within two hours", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const bytes = await makeZip();
  const created = await stamp.createBundle({ sizeBytes: bytes.byteLength });
  await stamp.upload(created, bytes);
  // The sweeper has had its first look while nothing was submitted yet.
  await stage.another({ offsetDays: minutes(61) }).runTimer("sweepUnfinished");
  const { world } = stage.app;
  const died = () => Promise.reject(new Error("died (a test)"));
  const dying: World = { ...world, queue: { send: died }, schedule: { ...world.schedule, remember: died } };
  const said = { sizeBytes: bytes.byteLength, sha256: sha256Hex(bytes) };
  const id = bundleId.parse(created.bundleId);
  await expect(submitBundle(dying, await callerOf(stage, stamp), id, said)).rejects.toThrow("died");

  const asked: unknown[] = [];
  const later = stage.another({ offsetDays: minutes(125) }).app.world;
  await sweepUnfinished({ ...later, queue: { send: async (message) => void asked.push(message) } });
  expect(asked).toEqual([{ stampId: created.stampId, bundleId: created.bundleId }]);
});

async function callerOf({ app }: Stage, stamp: StampActor): Promise<StampCaller> {
  const id = stampId.parse(stamp.stampId);
  return {
    kind: "stamp",
    stampId: id,
    keyId: stamp.key.keyId,
    clientVersion: undefined,
    head: await app.world.stamps.head(id),
  };
}
