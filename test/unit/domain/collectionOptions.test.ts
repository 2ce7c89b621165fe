import { describe, expect, it } from "vitest";
import { optionsFor } from "../../../shared/domain/collectionOptions.ts";
import { aConsent, aStamp } from "./support/records.ts";

/** The flowchart of `SOURCE.md`, for a stamp that is registered and connected, or it could not ask. */

const any = { stamp: undefined };
const shown = (stamp: ReturnType<typeof aStamp>, oldest: Parameters<typeof optionsFor>[1] = any) =>
  Object.fromEntries(
    Object.entries(optionsFor(stamp, oldest)).map(([name, { available, recommended }]) => [
      name,
      { available, recommended },
    ]),
  );
const [open, best, closed] = [
  { available: true, recommended: false },
  { available: true, recommended: true },
  { available: false, recommended: false },
];

describe("the ways of sending that are open to a stamp", () => {
  it("with proactive collection enabled: that one, recommended, and all others", () => {
    expect(shown(aStamp({ consent: aConsent() }))).toEqual({
      proactive: best,
      sendNow: open,
      saveLocally: open,
      privilegedEndpoint: open,
    });
  });

  it.each([
    ["without a consent", {}],
    ["with proactive collection disabled", { consent: aConsent({ state: "disabled", enabledSince: undefined }) }],
  ])("%s: sending now, and the recommendation to enable it", (_, changes) => {
    expect(shown(aStamp(changes))).toEqual({
      proactive: { available: false, recommended: true },
      sendNow: best,
      saveLocally: open,
      privilegedEndpoint: open,
    });
  });

  it("while disabled: nothing that goes through this service", () => {
    const disabled = aStamp({ state: "disabled", disabledReason: "lost", consent: aConsent() });
    expect(shown(disabled)).toEqual({
      proactive: closed,
      sendNow: closed,
      saveLocally: open,
      privilegedEndpoint: best,
    });
    expect(optionsFor(disabled, any).saveLocally.reasons).toContain(
      "The stamp is disabled: ask for it to be enabled again. What is saved can be imported only after that.",
    );
  });

  it("of a version that is no longer taken: nothing that goes through this service, and the reason", () => {
    const stamp = aStamp({ consent: aConsent(), stampVersion: "1.2008.40.149" });
    const oldest = { stamp: "1.2301.0.0" };
    expect(shown(stamp, oldest)).toEqual({
      proactive: closed,
      sendNow: closed,
      saveLocally: open,
      privilegedEndpoint: best,
    });
    expect(optionsFor(stamp, oldest).sendNow.reasons).toEqual([
      "Logs of stamp version 1.2008.40.149 are no longer taken, 1.2301.0.0 is the oldest: update the stamp.",
    ]);
  });

  it("before version 2008 say that hidden failure events are not captured", () => {
    const reasonsOf = (stampVersion: string) =>
      optionsFor(aStamp({ consent: aConsent(), stampVersion }), any).proactive.reasons.join(" ");
    expect(reasonsOf("1.1910.0.58")).toContain("captured from stamp version 2008 on, and this one is 1.1910.0.58");
    expect(reasonsOf("1.2008.40.149")).not.toContain("captured from");
  });

  it("each come with at least one reason in words", () => {
    for (const stamp of [aStamp(), aStamp({ consent: aConsent() }), aStamp({ state: "disabled" })]) {
      for (const option of Object.values(optionsFor(stamp, any))) {
        expect(option.reasons.length).toBeGreaterThan(0);
        for (const reason of option.reasons) expect(reason).toMatch(/^[A-Z].+\.$/);
      }
    }
  });
});
