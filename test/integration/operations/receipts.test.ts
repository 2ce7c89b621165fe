import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { stampId as stampIdSchema } from "../../../shared/api/primitives.ts";
import { decideConsent } from "../../../shared/operations/consents/decideConsent.ts";
import { finishReceipt } from "../../../shared/operations/consents/receipts.ts";
import type { World } from "../../../shared/operations/needs.ts";
import { sweepUnfinished } from "../../../shared/operations/purge/sweepUnfinished.ts";
import { consentShape } from "../../support/system/shapes.ts";
import type { StampActor } from "../../support/system/stamp.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** A decision on consent needs no signing key; its receipt comes when it can be signed (invariant 4). */

const stageOf = useStages();

const minutes = (count: number) => count / 24 / 60;

const withoutKey = (world: World): World => ({
  ...world,
  papers: { sign: () => Promise.reject(new Error("no key (a test)")) },
});

async function decide(world: World, { app }: Stage, stamp: StampActor, state: "enabled" | "disabled") {
  const stampId = stampIdSchema.parse(stamp.stampId);
  const head = await app.world.stamps.head(stampId);
  const caller = { kind: "stamp", stampId, keyId: stamp.key.keyId, clientVersion: undefined, head } as const;
  const said = { state, decidedBy: "operator@contoso.example", termsVersion: "2026-11-01" };
  return await decideConsent(world, caller, said, { ifMatch: undefined });
}

const consentOf = async (stamp: StampActor) =>
  consentShape.parse((await stamp.call("GET", `${stamp.path}/consents/proactiveCollection`)).json);

test.each(["enabled", "disabled"] as const)(
  "[invariant 4] consent is %s though nothing can be signed, and the receipt appears when it can",
  async (state) => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    if (state === "disabled") await stamp.enableConsent();
    const decided = await decide(withoutKey(stage.app.world), stage, stamp, state);
    expect(decided).toMatchObject({ state });
    expect(decided).not.toHaveProperty("receipt");
    expect(await consentOf(stamp)).not.toHaveProperty("receipt");

    await stage.another({ offsetDays: minutes(2) }).runTimer("sweepUnfinished");
    const { receipt = "", decisionId } = await consentOf(stamp);
    const [event] = (await stage.events(stamp.partition)).filter(({ data }) => data.decisionId === decisionId);
    expect(decodeJwt(receipt)).toMatchObject({
      jti: decisionId,
      decision: state,
      decidedBy: "operator@contoso.example",
      ledger: { partition: stamp.partition, seq: event?.seq, hash: event?.hash },
    });
  },
);

test("[invariant 4] a revocation whose receipt cannot be signed cancels what is under way at once", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  await stamp.enableConsent();
  const upload = await stamp.createBundle({ mode: "proactive" });
  await decide(withoutKey(stage.app.world), stage, stamp, "disabled");
  expect((await stamp.bundle(upload.bundleId)).state).toBe("canceled");
});

test("a receipt that two instances sign at once is one receipt", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  await decide(withoutKey(stage.app.world), stage, stamp, "enabled");
  const works = [];
  for await (const work of stage.app.world.schedule.due(new Date(Date.now() + 3_600_000))) {
    if (work.kind === "receipt") works.push(work);
  }
  const [work] = works;
  if (work === undefined) throw new Error("A receipt is to be signed");
  const worlds = [stage.app.world, stage.another().app.world];
  const receipts = await Promise.all(worlds.map((world) => finishReceipt(world, work)));
  expect(new Set(receipts).size).toBe(1);
});

test("a decision that died before its commit leaves no receipt and no work", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { world } = stage.app;
  const died = () => Promise.reject(new Error("died (a test)"));
  const dying = { ...world, stamps: { ...world.stamps, commit: died } };
  await expect(decide(dying, stage, stamp, "enabled")).rejects.toThrow("died");
  const later = stage.another({ offsetDays: minutes(2) }).app.world;
  await sweepUnfinished(later);
  const left = [];
  for await (const work of later.schedule.due(new Date(Date.now() + 3_600_000))) left.push(work.kind);
  expect(left).not.toContain("receipt");
  expect(await consentOf(stamp)).toEqual({ state: "notGiven" });
});
