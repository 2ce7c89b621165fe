import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { indexShards, limits, perBundle, scaleOf, sizes, withReport } from "../../../bench/scale-model.ts";
import { shards } from "../../../shared/storage/tables/keys.ts";

/** The model behind docs/scale.md. */

const page = readFileSync(join(import.meta.dirname, "../../../docs/scale.md"), "utf8");

it("docs/scale.md holds the model's figures: node bench/scale-model.ts --write", () => {
  expect(page).toBe(withReport(page));
  expect(page).toContain("dollars a month");
});

it("names the limit that binds first, the nearest one before the others", () => {
  for (const size of sizes) {
    const shares = scaleOf(size).limits.map(({ used, of }) => used / of);
    expect(shares).toEqual([...shares].sort((one, other) => other - one));
  }
  expect(scaleOf(100_000).limits[0]?.name).toBe("ingress of a bundle account");
});

it("takes as many accounts as bytes, bandwidth and requests ask for, with a quarter to spare", () => {
  expect(sizes.map((size) => scaleOf(size).accounts)).toEqual([1, 1, 4]);
  const { accounts, bytesHeld } = scaleOf(1_000_000);
  expect(accounts * limits.accountBytes * 0.75).toBeGreaterThanOrEqual(bytesHeld);
});

it("grows with the stamps, but for what is fixed", () => {
  const [small, large] = [scaleOf(1_000), scaleOf(100_000)];
  expect(large.bundlesADay).toBeCloseTo(100 * small.bundlesADay);
  expect(large.costs["bytes held"]).toBeCloseTo(100 * (small.costs["bytes held"] ?? 0));
  expect(large.costs.network).toBe(small.costs.network);
});

it("is of the service as it is: shards of the index, round trips of create and submit", () => {
  expect(indexShards).toBe(shards.length);
  // Two of the eleven go to the landing container: making it, and looking at what landed.
  expect(perBundle.tableRequestsOfStamp + 2).toBe(11);
});
