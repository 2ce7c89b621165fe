import { describe, expect, test } from "vitest";
import { expectStatus } from "../../support/system/expectations.ts";
import { makeZip } from "../../support/system/zip.ts";
import { accepted } from "./support/bundles.ts";
import type { Call } from "./support/faults.ts";
import { type Stage, useStages } from "./support/stage.ts";

/** Storage round trips of a warm service, counted at the clients' pipelines through the whole HTTP edge, authentication and all. */

const stageOf = useStages();

test("a create takes at most 5 round trips", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  await stamp.createBundle();
  const { calls } = await stage.faults.watching(() => stamp.createBundle());
  expect(calls.length, shown(calls)).toBeLessThanOrEqual(5);
});

test("a submit takes at most 6 round trips", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  await stamp.submittedBundle();
  const bytes = await makeZip();
  const bundle = await stamp.createBundle({ sizeBytes: bytes.byteLength });
  await stamp.upload(bundle, bytes);
  const { result, calls } = await stage.faults.watching(() => stamp.submit(bundle.bundleId, bytes));
  expectStatus(result, 202);
  expect(calls.length, shown(calls)).toBeLessThanOrEqual(6);
});

test("issuing a URL takes at most 6 round trips", async () => {
  const stage = stageOf();
  const stamp = await stage.registeredStamp();
  const { bundle } = await accepted(stage, stamp);
  const supportCase = await stage.openCase({ stampIds: [stamp.stampId] });
  expectStatus(await supportCase.link(bundle), 201);
  const { grantId } = await supportCase.grant([bundle]);
  await supportCase.url(grantId, bundle);
  const { result, calls } = await stage.faults.watching(() => supportCase.issueUrl(grantId, bundle));
  expectStatus(result, 200);
  expect(calls.length, shown(calls)).toBeLessThanOrEqual(6);
});

test("[invariant 3] purging a day takes as many deleting calls for 60 bundles as for one", async () => {
  const deletionsFor = async (count: number) => {
    const stage = stageOf();
    const stamps = [await stage.registeredStamp(), await stage.registeredStamp(), await stage.registeredStamp()];
    for (let made = 0; made < count; made += stamps.length) {
      await Promise.all(stamps.slice(0, count - made).map((stamp) => accepted(stage, stamp)));
    }
    const later = stage.another({ offsetDays: 81 });
    const { calls } = await later.faults.watching(() => later.runTimer("purgeDue"));
    const events = await stage.events();
    expect(events.filter((event) => event.type === "bundle.purged")).toHaveLength(count);
    return calls.filter((call) => call.method === "DELETE" && /\/(bundles|landing|lent)-/.test(call.path));
  };
  const [one, sixty] = [await deletionsFor(1), await deletionsFor(60)];
  expect(one).toHaveLength(1);
  expect(sixty).toHaveLength(one.length);
});

describe("purging a day of many bundles", () => {
  test("takes a ledger transaction for each stamp and two of the service's own, however many bundles", async () => {
    const stage = stageOf();
    const stamps = [await stage.registeredStamp(), await stage.registeredStamp()];
    for (let made = 0; made < 10; made += 1) await Promise.all(stamps.map((stamp) => accepted(stage, stamp)));
    expect(await transactionsOfPurge(stage)).toEqual({ bundles: 20, transactions: 2 + 2 });
  });

  test("takes at most 1.1 ledger transactions for each bundle where each is another stamp's", async () => {
    const stage = stageOf();
    for (let made = 0; made < 20; made += 1) await accepted(stage, await stage.registeredStamp());
    const { bundles, transactions } = await transactionsOfPurge(stage);
    expect(bundles).toBe(20);
    expect(transactions / bundles).toBeLessThanOrEqual(1.1);
  });
});

/** Entity-group transactions, which only ledger partitions are written with, as they go over the wire. */
async function transactionsOfPurge(stage: Stage): Promise<{ bundles: number; transactions: number }> {
  // The service's own table is there: it comes with its first event, such as that of an audit.
  await stage.events();
  const later = stage.another({ offsetDays: 81 });
  const { calls } = await later.faults.watching(() => later.runTimer("purgeDue"));
  const purged = (await stage.events()).filter((event) => event.type === "bundle.purged");
  const transactions = calls.filter(({ method, path }) => method === "POST" && path.endsWith("$batch"));
  return { bundles: purged.length, transactions: transactions.length };
}

const shown = (calls: readonly Call[]): string => calls.map(({ method, path }) => `${method} ${path}`).join("\n");
