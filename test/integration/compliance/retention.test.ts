import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Retention, retention } from "../../../shared/api/compliance.ts";
import { stampId as stampIdSchema } from "../../../shared/api/primitives.ts";
import { theService } from "../../../shared/domain/event.ts";
import { addDays, utcDaySchema } from "../../../shared/domain/utcDay.ts";
import { withSink } from "../../../shared/log.ts";
import { getRetention } from "../../../shared/operations/compliance/retention.ts";
import { expectRefusal, expectStatus } from "../../support/system/expectations.ts";
import { accepted } from "../operations/support/bundles.ts";
import { faults } from "../operations/support/faults.ts";
import { holdBundles } from "../operations/support/heldBundles.ts";
import { type Stage, type StageOptions, useStages } from "../operations/support/stage.ts";

/** The retention report against real storage: fresh before any timer has run, the same after it, and never counted twice. */

const stages = useStages();

/** Noon, so that no test is run across midnight. */
const noon = 0.5 - (Date.now() / 86_400_000 - Math.floor(Date.now() / 86_400_000));
const stageOf = (options: StageOptions = {}): Stage => stages({ offsetDays: noon, ...options });
const later = (stage: Stage, days: number): Stage => stage.another({ offsetDays: noon + days });

const report = async (stage: Stage): Promise<Retention> => retention.parse(await getRetention(stage.app.world));

/** What the report counts, without the times at which it was read. */
const counts = async (stage: Stage) => {
  const { asOf: _asOf, freshAsOf: _fresh, oldestByte, ...rest } = await report(stage);
  return { ...rest, oldest: oldestByte?.bundleId };
};

const silent = () => {};

const dayOf = (stage: Stage): string => stage.now().toISOString().slice(0, 10).replaceAll("-", "");

/** One bundle accepted, one submitted, one only created, one canceled, one rejected. */
async function aMixedDay(stage: Stage) {
  const stamp = await stage.registeredStamp();
  const first = await accepted(stage, stamp);
  const waiting = await stamp.submittedBundle();
  await stamp.createBundle();
  const given = await stamp.createBundle();
  expectStatus(await stamp.call("POST", `${stamp.bundlePath(given.bundleId)}:cancel`), 200);
  const rejected = await stamp.submittedBundle({}, Buffer.from("no zip at all"));
  await stage.verify(rejected.bundle);
  return { stamp, first, waiting };
}

describe("right after bundles were created, with no timer run", () => {
  test("it counts them by state and day, and says since when it holds their bytes", async () => {
    const stage = stageOf();
    const { first, waiting } = await aMixedDay(stage);
    const found = await report(stage);

    const byState = { accepted: 1, submitted: 1, created: 1, canceled: 1, rejected: 1 };
    const bytesHeld = first.bytes.byteLength + waiting.bytes.byteLength;
    expect(found).toMatchObject({
      bundlesByState: byState,
      bytesHeld,
      daysHeld: 1,
      violations: [],
      consentCoverage: { bundles: 5, covered: 5 },
      accesses: { byPurpose: {}, outsideSupportCase: 0 },
      settings: { PURGE_AFTER_DAYS: 80, ERASE_DELAY_HOURS: 24, lifecycleDays: 83, hardLineDays: 90 },
    });
    expect(found.oldestByte).toMatchObject({ bundleId: first.bundleId, createdOn: first.bundle.createdOn });
    expect(found.oldestByte?.ageDays).toBeLessThan(1);
    expect(found.freshAsOf).toBe(found.asOf);
    expect(found.days).toEqual([
      {
        day: dayOf(stage),
        created: 5,
        bytes: bytesHeld,
        byState,
        purgeOn: first.bundle.purgeOn,
        purgedBy: { canceled: 1, rejected: 1 },
      },
    ]);
  });

  test("an empty service has nothing to report", async () => {
    expect(await report(stageOf())).toMatchObject({ bundlesByState: {}, bytesHeld: 0, daysHeld: 0, days: [] });
  });

  test("reading it writes nothing", async () => {
    const stage = stageOf();
    await aMixedDay(stage);
    const { calls } = await stage.faults.watching(() => report(stage));
    expect(calls.filter(({ method }) => method !== "GET")).toEqual([]);
  });
});

describe("folding", () => {
  test("changes no count, however often it is done", async () => {
    const stage = stageOf();
    await aMixedDay(stage);
    const before = await counts(stage);
    await stage.app.timers.foldLedger();
    expect(await counts(stage)).toEqual(before);
    await stage.app.timers.foldLedger();
    expect(await counts(stage)).toEqual(before);
  });

  test("changes no count while many run at once, and events keep coming", async () => {
    const stage = stageOf();
    const { stamp } = await aMixedDay(stage);
    const others = [later(stage, 0), later(stage, 0)];
    await Promise.all([
      stamp.createBundle(),
      ...[stage, ...others].map((each) => each.app.timers.foldLedger()),
      stamp.createBundle(),
    ]);
    expect((await report(stage)).bundlesByState).toMatchObject({ created: 3, accepted: 1 });
    await stage.app.timers.foldLedger();
    expect((await report(stage)).bundlesByState).toMatchObject({ created: 3, accepted: 1 });
  });

  test("a fold that dies at any of its calls, or whose answer is lost, counts nothing twice and loses nothing", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    let created = 0;
    // As many calls as a fold of one stamp makes: what died is followed by more to count, and by a fold that must go on from there.
    for (const fault of faults) {
      for (let call = 1; call <= 9; call += 1) {
        await stamp.createBundle();
        created += 1;
        await withSink(silent, () => stage.faults.during(fault, call, stage.app.timers.foldLedger)).catch(() => {});
        expect((await report(stage)).bundlesByState, `${fault} at call ${call}`).toEqual({ created });
      }
    }
    await stage.app.timers.foldLedger();
    expect((await report(stage)).days).toMatchObject([{ created, byState: { created } }]);
  });

  test("a partition with more events and days than one fold takes is folded to its end", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    await writeCreations(stage, stamp.stampId, { days: 130, perDay: 9 });
    expect((await report(stage)).freshAsOf, "too long a tail to count in memory").toBe("1970-01-01T00:00:00.000Z");
    await stage.app.timers.foldLedger();
    const found = await report(stage);
    expect(found.bundlesByState).toEqual({ created: 130 * 9 });
    expect(found.days).toHaveLength(130);
    expect(found.days.every(({ created }) => created === 9)).toBe(true);
  });

  test("where too many stamps changed to count them now, the report says how old its counts are", async () => {
    const stage = stageOf();
    const stamps = await Promise.all(Array.from({ length: 51 }, () => stage.registeredStamp()));
    await stamps[0]?.createBundle();
    await stage.app.timers.foldLedger();
    const folded = await report(stage);
    await stamps[1]?.createBundle();
    const stale = await report(stage);
    expect(stale.bundlesByState).toEqual({ created: 1 });
    expect(Date.parse(stale.freshAsOf)).toBeLessThan(Date.parse(folded.asOf));
    await stage.app.timers.foldLedger();
    const again = await report(stage);
    expect(again.bundlesByState).toEqual({ created: 2 });
    expect(Date.parse(again.freshAsOf)).toBeGreaterThan(Date.parse(stale.asOf));
  });

  test("what changed while no fold ran for days is not forgotten", async () => {
    const stage = stageOf();
    await stage.app.timers.foldLedger();
    await aMixedDay(stage);
    const afterwards = later(stage, 20);
    const before = await counts(afterwards);
    expect(before.bundlesByState).toMatchObject({ accepted: 1, submitted: 1 });
    await afterwards.app.timers.foldLedger();
    expect(await counts(afterwards)).toEqual(before);
  });
});

describe("after the purge", () => {
  test.each([{ foldedBefore: true }, { foldedBefore: false }])(
    "the day is shown as purged and no byte as held (folded before: $foldedBefore)",
    async ({ foldedBefore }) => {
      const stage = stageOf();
      const { first } = await aMixedDay(stage);
      if (foldedBefore) await stage.app.timers.foldLedger();
      const afterwards = later(stage, 81);
      await afterwards.app.timers.sweepUnfinished();
      await afterwards.app.timers.purgeDue();

      const found = await report(afterwards);
      expect(found).toMatchObject({
        bundlesByState: { purged: 1, rejected: 2, canceled: 1, expired: 1 },
        bytesHeld: 0,
        daysHeld: 0,
        violations: [],
      });
      expect(found.oldestByte).toBeUndefined();
      expect(found.days).toMatchObject([
        { day: dayOf(stage), created: 5, bytes: 0, purgedBy: { age: 1, rejected: 2, canceled: 1, expired: 1 } },
      ]);
      expect(Date.parse(found.days[0]?.purgedOn ?? "")).toBeGreaterThan(afterwards.now().getTime() - 60_000);
      const before = await counts(afterwards);
      await afterwards.app.timers.foldLedger();
      await afterwards.app.timers.foldLedger();
      expect(await counts(afterwards)).toEqual(before);
      expect(first.bundle.state).toBe("accepted");
    },
  );

  test("an erased bundle counts by that basis, and its day goes on", async () => {
    const stage = stageOf({ settings: { ERASE_DELAY_HOURS: "0" } });
    const stamp = await stage.registeredStamp();
    const kept = await accepted(stage, stamp);
    const { bundleId } = await accepted(stage, stamp);
    const body = { decidedBy: "operator@contoso.example", reason: "sent by mistake" };
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:erase`, body), 202);
    const found = await report(stage);
    expect(found.bytesHeld).toBe(kept.bytes.byteLength);
    expect(found.days).toMatchObject([{ byState: { accepted: 1, purged: 1 }, purgedBy: { erasure: 1 } }]);
    expect(found.days[0]?.purgedOn).toBeUndefined();
  });
});

describe("a day container that is still there", () => {
  test.each([
    { days: 79, codes: [] },
    { days: 80, codes: [] },
    { days: 81, codes: ["PurgeOverdue"] },
    { days: 82, codes: ["PurgeOverdue", "PurgeLate82"] },
    { days: 84, codes: ["PurgeOverdue", "PurgeLate82", "PurgeLate84"] },
    { days: 90, codes: ["PurgeOverdue", "PurgeLate82", "PurgeLate84", "PastDay90"] },
  ])("after $days days is a violation of $codes", async ({ days, codes }) => {
    const stage = stageOf();
    const { bundle } = await accepted(stage, await stage.registeredStamp());
    const afterwards = later(stage, days);
    const found = await report(afterwards);
    const [silence, ...others] = found.violations;
    expect(silence?.code, "no timer ran all the while").toBe("PurgeTimerSilent");
    expect(others.map(({ code }) => code)).toEqual(codes);
    for (const violation of others) {
      expect(violation.container).toBe(`bundles-${dayOf(stage)}`);
      expect(Date.parse(violation.since)).toBeLessThanOrEqual(afterwards.now().getTime());
      expect(Date.parse(violation.since)).toBeGreaterThanOrEqual(Date.parse(bundle.purgeOn));
    }
    expect(found.oldestByte?.bundleId).toBe(bundle.bundleId);
    expect(Math.floor(found.oldestByte?.ageDays ?? 0)).toBe(days);
  });

  test("and so is an erasure that was due and is not done", async () => {
    const stage = stageOf();
    const stamp = await stage.registeredStamp();
    const { bundleId } = await accepted(stage, stamp);
    const body = { decidedBy: "operator@contoso.example", reason: "sent by mistake" };
    expectStatus(await stamp.call("POST", `${stamp.bundlePath(bundleId)}:erase`, body), 202);
    expect((await report(stage)).violations).toEqual([]);
    const afterwards = later(stage, 2);
    const { stampId } = stamp;
    expect((await report(afterwards)).violations).toContainEqual(
      expect.objectContaining({ code: "ErasureOverdue", stampId, bundleId }),
    );
    await afterwards.app.timers.purgeDue();
    expect((await report(afterwards)).violations).toEqual([]);
  });
});

test("accesses count by purpose, and those outside a support case apart", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  for (const [kind, purpose, times] of [
    ["support", "troubleshooting", 2],
    ["support", "productHealth", 1],
    ["productHealth", "productHealth", 1],
  ] as const) {
    const supportCase = await stage.openCase({ stampIds: [stamp.stampId], fields: { kind } });
    expectStatus(await supportCase.link(bundle), 201);
    const { grantId } = await supportCase.grant([bundle], { purpose });
    for (let time = 0; time < times; time += 1) await supportCase.url(grantId, bundle);
  }
  const accesses = { byPurpose: { troubleshooting: 2, productHealth: 2 }, outsideSupportCase: 1 };
  expect((await report(stage)).accesses).toEqual(accesses);
  await stage.app.timers.foldLedger();
  expect((await report(stage)).accesses).toEqual(accesses);
});

test("it costs the same number of storage calls for 5 and for 60 bundles of the same day, folded or not", async () => {
  const [few, many] = [stageOf(), stageOf()];
  await manyBundles(few, 5);
  await manyBundles(many, 60);
  const calls = async (stage: Stage) => (await stage.faults.watching(() => report(stage))).calls.length;
  expect(await calls(many)).toBe(await calls(few));
  await Promise.all([few, many].map((stage) => stage.app.timers.foldLedger()));
  expect(await calls(many)).toBe(await calls(few));
  expect((await report(many)).bundlesByState).toEqual({ accepted: 1, created: 59 });
});

test("it costs the same number of storage calls for 50 and for 1,000 bundles of several stamps over the same days", async () => {
  const callsFor = async (bundles: number) => {
    const stage = stageOf();
    const stamps = await Promise.all(Array.from({ length: 5 }, () => stage.registeredStamp()));
    await holdBundles(
      stage.app,
      stamps.map(({ stampId }) => stampId),
      bundles,
      10,
    );
    await stage.app.timers.foldLedger();
    const { result, calls } = await stage.faults.watching(() => report(stage));
    expect(result).toMatchObject({ bundlesByState: { accepted: bundles }, daysHeld: 10 });
    return calls.length;
  };
  expect(await callsFor(1000)).toBe(await callsFor(50));
});

async function manyBundles(stage: Stage, count: number): Promise<void> {
  const stamp = await stage.registeredStamp();
  await accepted(stage, stamp);
  for (let created = 1; created < count; created += 1) await stamp.createBundle();
}

/** Many creations on many days, written straight to the ledger. */
async function writeCreations(
  { app }: Stage,
  stamp: string,
  { days, perDay }: { days: number; perDay: number },
): Promise<void> {
  const { stamps } = app.world;
  const stampId = stampIdSchema.parse(stamp);
  for (let first = 0; first < days; first += 10) {
    const events = Array.from({ length: 10 * perDay }, (_, index) => ({
      type: "bundle.created" as const,
      actor: theService,
      data: {
        day: addDays(firstDay, first + Math.floor(index / perDay)),
        toState: "created",
        decisionId: randomUUID(),
      },
    }));
    await stamps.commit(stampId, await stamps.head(stampId), { events }, new Date());
  }
}

const firstDay = utcDaySchema.parse("20260101");

describe("as CSV", () => {
  test("it is a table of the days, a row each, with what the JSON says; who asks for neither gets the JSON", async () => {
    const stage = stageOf();
    await aMixedDay(stage);
    const { call } = await stage.person("A");
    const get = (query: Record<string, string>, headers: Record<string, string> = {}) =>
      call("GET", "/compliance/retention", undefined, { query, headers });
    const { days } = retention.parse(expectStatus(await get({}), 200).json);
    const answer = expectStatus(await get({}, { accept: "text/csv" }), 200);
    expect(answer.headers["content-type"]).toMatch(/^text\/csv/);
    const [head = [], ...rows] = answer.text
      .trim()
      .split("\r\n")
      .map((line) => line.split(","));
    const table = rows.map((row) => Object.fromEntries(head.map((name, column) => [name, row[column]])));
    const [day] = days;
    expect(days).toHaveLength(1);
    expect(table).toEqual([
      expect.objectContaining({
        day: stage.now().toISOString().slice(0, 10),
        bundles: "5",
        bytes: String(day?.bytes),
        "state accepted": "1",
        "state submitted": "1",
        "state expired": "0",
        purgeOn: day?.purgeOn,
        purgedOn: "",
        "purged by canceled": "1",
        "purged by rejected": "1",
        "purged by age": "0",
      }),
    ]);
    expect((await get({ format: "csv" })).text).toBe(answer.text);
    expect((await get({ format: "json" }, { accept: "text/csv" })).headers["content-type"]).toMatch(/json/);
    expectRefusal(await get({ format: "xml" }), 400, "InvalidParameter");
  });
});
