import { expect, test } from "vitest";
import { correctedClock } from "../../../client/clock.ts";

const own = Date.parse("2026-11-22T12:00:00Z");

test("a clock that runs behind is put right by the service's Date", () => {
  const clock = correctedClock(() => own);
  expect(clock.learn(new Headers({ date: "Sun, 22 Nov 2026 12:10:00 GMT" }))).toBe(true);
  expect(clock.now().toISOString()).toBe("2026-11-22T12:10:00.000Z");
});

test("an answer without a date teaches nothing", () => {
  const clock = correctedClock(() => own);
  expect(clock.learn(new Headers())).toBe(false);
  expect(clock.now().getTime()).toBe(own);
});
