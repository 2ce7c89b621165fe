import fc from "fast-check";
import { expect, test } from "vitest";
import { type Retention, retention } from "../../../shared/api/compliance.ts";
import { bundleId, stampId } from "../../../shared/api/primitives.ts";
import type { BundleRecord } from "../../../shared/domain/bundle.ts";
import { withSink } from "../../../shared/log.ts";
import { getRetention } from "../../../shared/operations/compliance/retention.ts";
import { counted, expectWholeLedger, ofBundle } from "../../support/ledger.ts";
import type { LedgerEvent } from "../../support/system/shapes.ts";
import { type StampActor, stampActor } from "../../support/system/stamp.ts";
import { makeZip } from "../../support/system/zip.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";

/**
 * Bundles of one stamp, and whatever may happen to them in whatever order, against real storage. Whatever it was, each bundle went the ways of
 * the diagram in `DESIGN.md` and no other, its row says what its events say, and the report, however often it was folded, what all rows say.
 */

const stageOf = useStages();
const silent = () => {};

/** `created ──submit──▶ submitted ──verify──▶ accepted ──▶ purged`, and the ends beside it. */
const ways: readonly string[] = [
  "bundle.created: → created",
  "bundle.submitted: created → submitted",
  "bundle.canceled: created → canceled",
  "bundle.expired: created → expired",
  "bundle.accepted: submitted → accepted",
  "bundle.rejected: submitted → rejected",
  "bundle.purged: submitted → purged",
  "bundle.purged: accepted → purged",
  "bundle.purged: rejected → rejected",
  "bundle.purged: canceled → canceled",
  "bundle.purged: expired → expired",
];

type Life = {
  readonly first: Stage;
  stage: Stage;
  stamp: StampActor;
  days: number;
  readonly bundles: { readonly bundleId: string; readonly bytes: Buffer }[];
};
type Step = { readonly name: string; readonly act: (life: Life) => Promise<unknown> };

const step = (name: string, act: Step["act"]): fc.Arbitrary<Step> => fc.constant({ name, act });
const onOne = (name: string, act: (life: Life, bundle: Life["bundles"][number]) => Promise<unknown>) =>
  fc.nat(4).map(
    (which): Step => ({
      name: `${name} ${which}`,
      act: async (life) => {
        const bundle = life.bundles[which % Math.max(1, life.bundles.length)];
        if (bundle !== undefined) await act(life, bundle);
      },
    }),
  );
const operator = { decidedBy: "operator@contoso.example", reason: "sent by mistake" };
const action = (name: string, body?: object) =>
  onOne(name, ({ stamp }, { bundleId }) => stamp.call("POST", `${stamp.bundlePath(bundleId)}:${name}`, body));

/** Refusals are fine: what is asked is not always allowed. */
const create = (mode: "sendNow" | "proactive", content: "whole" | "broken") =>
  step(`create ${mode}, ${content}`, async ({ stamp, bundles }) => {
    const bytes = content === "whole" ? await makeZip(64) : Buffer.from("no zip at all");
    const id = crypto.randomUUID();
    const request = await stamp.bundleRequest({ mode, sizeBytes: bytes.byteLength });
    const answer = await stamp.call("PUT", stamp.bundlePath(id), request);
    if (answer.status !== 201) return;
    bundles.push({ bundleId: id, bytes });
    await stamp.upload(await stamp.bundle(id), bytes);
  });

const later = (days: number) => async (life: Life) => {
  life.days += days;
  life.stage = life.first.another({ offsetDays: life.days });
  life.stamp = stampActor(life.stage, { stampId: life.stamp.stampId, key: life.stamp.key });
};

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: create("sendNow", "whole") },
    { weight: 2, arbitrary: create("proactive", "whole") },
    create("sendNow", "broken"),
    { weight: 4, arbitrary: onOne("submit", ({ stamp }, { bundleId, bytes }) => stamp.submit(bundleId, bytes)) },
    {
      weight: 4,
      arbitrary: onOne("verify", ({ stage, stamp }, { bundleId }) =>
        stage.verify({ stampId: stamp.stampId, bundleId }),
      ),
    },
    action("cancel"),
    action("erase", operator),
    action("cancelErase", operator),
    step("enable consent", ({ stamp }) => stamp.enableConsent().catch(() => {})),
    step("disable consent", ({ stamp }) => stamp.disableConsent().catch(() => {})),
    step("disable", async ({ stage, stamp }) =>
      (await stage.person("R")).call("POST", `${stamp.path}:disable`, { reason: "lost" }),
    ),
    step("enable", async ({ stage, stamp }) => (await stage.person("R")).call("POST", `${stamp.path}:enable`)),
    step("fold", ({ stage }) => stage.app.timers.foldLedger()),
    step("sweep", ({ stage }) => stage.app.timers.sweepUnfinished()),
    step("purge", ({ stage }) => stage.app.timers.purgeDue()),
    fc.constantFrom(1, 3).map((days): Step => ({ name: `${days} days later`, act: later(days) })),
  ),
  { minLength: 6, maxLength: 24 },
);

const report = async (stage: Stage): Promise<Retention> => retention.parse(await getRetention(stage.app.world));

const rowsOf = async ({ stage, stamp, bundles }: Life): Promise<BundleRecord[]> => {
  const rows = await Promise.all(
    bundles.map((each) => stage.app.world.stamps.bundle(stampId.parse(stamp.stampId), bundleId.parse(each.bundleId))),
  );
  return rows.filter((row) => row !== undefined);
};

const wayOf = ({ type, data: { fromState = "", toState } }: LedgerEvent) =>
  toState === undefined ? [] : [`${type}: ${fromState}${fromState === "" ? "" : " "}→ ${toState}`];

async function expectOneLifeEach(life: Life): Promise<void> {
  const events = await life.stage.events(life.stamp.partition);
  expectWholeLedger(events);
  const rows = await rowsOf(life);
  expect(rows).toHaveLength(life.bundles.length);
  for (const row of rows) {
    const own = ofBundle(events, row.bundleId);
    const went = own.flatMap(wayOf);
    expect(went.filter((way) => !ways.includes(way))).toEqual([]);
    expect(went.at(-1)).toMatch(new RegExp(`→ ${row.state}$`));
    // Each state is reached once, and left for the one that the row is in.
    expect(new Set(went).size).toBe(went.length);
    expect(counted(own)["bundle.purged"] ?? 0).toBe(row.purge?.deletedOn === undefined ? 0 : 1);
    const ended = !["created", "submitted", "accepted"].includes(row.state);
    if (ended) expect(row.purge).toBeDefined();
  }
}

async function expectReportOfRows(life: Life): Promise<void> {
  const rows = await rowsOf(life);
  const states = Object.entries(Object.groupBy(rows, (row) => row.state));
  const held = rows.filter(({ state }) => state === "submitted" || state === "accepted");
  const basesOf = rows.flatMap(({ purge }) => (purge?.deletedOn === undefined ? [] : [purge.basis]));
  const found = await report(life.stage);
  expect(found.bundlesByState).toEqual(Object.fromEntries(states.map(([state, same]) => [state, same.length])));
  expect(found.bytesHeld).toBe(held.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  expect(found.consentCoverage).toEqual({ bundles: rows.length, covered: rows.length });
  expect(found.days.reduce((sum, { created }) => sum + created, 0)).toBe(rows.length);
  expect(found.days.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(found.bytesHeld);
  const purged = found.days.flatMap(({ purgedBy }) =>
    Object.entries(purgedBy).flatMap(([basis, n]) => Array(n).fill(basis)),
  );
  expect(purged.sort()).toEqual(basesOf.sort());
  const accepted = rows.filter(({ state }) => state === "accepted").map(({ createdOn }) => createdOn);
  // One whose copy is being verified is held as well.
  if (accepted.length > 0) expect(held.map(({ bundleId }) => bundleId)).toContain(found.oldestByte?.bundleId);
  for (const createdOn of accepted)
    expect(Date.parse(found.oldestByte?.createdOn ?? "")).toBeLessThanOrEqual(Date.parse(createdOn));
}

test("whatever happens in whatever order, bundles go the ways of the diagram, and the report says what their rows say", async () => {
  await fc.assert(
    fc.asyncProperty(steps, (taken) =>
      withSink(silent, async () => {
        const first = stageOf();
        const stamp = await first.registeredStamp();
        const life: Life = { first, stage: first, stamp, days: 0, bundles: [] };
        for (const { act } of taken) {
          const before = await rowsOf(life);
          await act(life);
          const after = await rowsOf(life);
          for (const [index, row] of before.entries()) {
            if (row.purge !== undefined)
              expect(after[index]?.purge, "a deletion, once intended, stands").toMatchObject(row.purge);
          }
        }
        await expectOneLifeEach(life);
        await expectReportOfRows(life);

        // However it stood, in the end nothing is held: the last day's bundles are due after 80 days.
        await later(81)(life);
        await life.stage.app.timers.sweepUnfinished();
        await life.stage.app.timers.purgeDue();
        await expectOneLifeEach(life);
        await expectReportOfRows(life);
        const rows = await rowsOf(life);
        expect(rows.filter(({ purge }) => purge?.deletedOn === undefined)).toEqual([]);
        expect(await report(life.stage)).toMatchObject({ bytesHeld: 0, daysHeld: 0, violations: [] });
      }),
    ),
    { numRuns: 12 },
  );
}, 600_000);
