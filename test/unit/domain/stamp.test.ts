import { expect, test } from "vitest";
import { isCompromised } from "../../../shared/domain/sender.ts";
import { disabled, isDisabledAs } from "../../../shared/domain/stamp.ts";
import { aStamp } from "./support/records.ts";

/** The upload epoch of a stamp: uploads and grants live only under their own. */

test.each([
  ["is disabled", {}, "lost", 1],
  ["is disabled as compromised", {}, "compromised", 1],
  ["was lost and is found compromised", { state: "disabled", disabledReason: "lost" }, "compromised", 1],
  ["is compromised still", { state: "disabled", disabledReason: "compromised" }, "compromised", 0],
  ["was compromised and is called lost", { state: "disabled", disabledReason: "compromised" }, "lost", 0],
] as const)("[invariant 5] a stamp that %s raises its epoch by as much", (_, standing, reason, by) => {
  const stamp = disabled(aStamp({ ...standing, uploadEpoch: 4 }), reason);
  expect(stamp).toMatchObject({ state: "disabled", disabledReason: reason, uploadEpoch: 4 + by });
});

test("[invariant 5] a compromised stamp stays compromised when it is disabled for another reason", () => {
  const compromised = disabled(aStamp(), "compromised");
  expect(isCompromised(disabled(compromised, "lost"))).toBe(true);
  expect(isCompromised(disabled(compromised, "decommissioned"))).toBe(true);
});

test("a second compromise counts once registration has vouched for the keys, and not before", () => {
  const compromised = disabled(aStamp({ uploadEpoch: 4 }), "compromised");
  expect(isDisabledAs(compromised, "compromised")).toBe(true);
  const vouched = { ...compromised, keysInDoubt: false };
  expect(isDisabledAs(vouched, "compromised")).toBe(false);
  expect(disabled(vouched, "compromised")).toMatchObject({ keysInDoubt: true, uploadEpoch: 6 });
});
