import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PlacementAccount, placeBundle } from "../../../shared/domain/placement.ts";

const europe = { name: "logseurope", geographies: ["Europe", "UK"] };
const china = { name: "logschina", geographies: ["China"] };
const anywhere1 = { name: "logsany1" };
const anywhere2 = { name: "logsany2" };
const stamps = fc.uuid();

describe("placing a stamp's bundles", () => {
  it("takes an account named for the geography, whatever the case of its letters", () => {
    fc.assert(
      fc.property(stamps, (stampId) => {
        expect(placeBundle(stampId, "europe", [anywhere1, europe, china])).toBe("logseurope");
        expect(placeBundle(stampId, "CHINA", [anywhere1, europe, china])).toBe("logschina");
      }),
    );
  });

  it("takes an account for any geography where none is named for this one", () => {
    fc.assert(
      fc.property(stamps, (stampId) => {
        expect(["logsany1", "logsany2"]).toContain(
          placeBundle(stampId, "Brazil", [europe, anywhere1, china, anywhere2]),
        );
      }),
    );
  });

  it("takes any account where there is no other", () => {
    expect(["logseurope", "logschina"]).toContain(placeBundle(randomUUID(), "Brazil", [europe, china]));
  });

  it("does not depend on the order of the accounts", () => {
    fc.assert(
      fc.property(stamps, (stampId) => {
        expect(placeBundle(stampId, "Brazil", [anywhere1, anywhere2])).toBe(
          placeBundle(stampId, "Brazil", [anywhere2, anywhere1]),
        );
      }),
    );
  });

  it("moves a stamp only to an account that was added, never among the old ones", () => {
    const added = { name: "logsnew" };
    fc.assert(
      fc.property(stamps, (stampId) => {
        const before = placeBundle(stampId, "Brazil", [anywhere1, anywhere2]);
        expect([before, added.name]).toContain(placeBundle(stampId, "Brazil", [anywhere1, added, anywhere2]));
      }),
    );
  });

  it("gives no new bundle to an account that is draining, and leaves the stamps of the others where they are", () => {
    const drained = { ...anywhere2, draining: true };
    fc.assert(
      fc.property(stamps, (stampId) => {
        const others = [anywhere1, { name: "logsany3" }] as const;
        const before = placeBundle(stampId, "Brazil", [...others, anywhere2]);
        const after = placeBundle(stampId, "Brazil", [...others, drained]);
        expect(after).not.toBe(drained.name);
        if (before !== drained.name) expect(after).toBe(before);
      }),
    );
  });

  it("goes to an account for any geography when those for this one are draining", () => {
    expect(placeBundle(randomUUID(), "Europe", [{ ...europe, draining: true }, china, anywhere1])).toBe("logsany1");
  });

  it("spreads stamps evenly", () => {
    const accounts: readonly [PlacementAccount, ...PlacementAccount[]] = [anywhere1, anywhere2, { name: "logsany3" }];
    const placed = Array.from({ length: 3_000 }, (_, n) => placeBundle(`stamp-${n}`, "Brazil", accounts));
    for (const { name } of accounts) {
      const share = placed.filter((each) => each === name).length;
      expect(share).toBeGreaterThan(850);
      expect(share).toBeLessThan(1_150);
    }
  });
});
