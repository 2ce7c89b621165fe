import { describe, expect, it } from "vitest";
import { type Decision, decide, isStanding, purposesOf } from "../../../shared/domain/consent.ts";
import { aStamp, at, id } from "./support/records.ts";

const enable: Decision = {
  state: "enabled",
  decidedBy: id(4),
  termsVersion: "2026-11-01",
  purposes: ["troubleshooting", "productHealth"],
};
const disable: Decision = { ...enable, state: "disabled" };
const first = at("2026-11-23T10:00:00.000Z");
const second = at("2026-11-24T10:00:00.000Z");
const third = at("2026-11-25T10:00:00.000Z");

describe("purposes", () => {
  it("are both where none is named, and stand in the contract's order", () => {
    expect(purposesOf(undefined)).toEqual(["troubleshooting", "productHealth"]);
    expect(purposesOf(["productHealth", "troubleshooting"])).toEqual(["troubleshooting", "productHealth"]);
    expect(purposesOf(["productHealth"])).toEqual(["productHealth"]);
  });
});

describe("a decision", () => {
  it("to enable stands from then on, and ends nothing", () => {
    const stamp = decide(aStamp(), enable, id(6), first);
    expect(stamp.consent).toEqual({
      ...enable,
      decisionId: id(6),
      decidedOn: "2026-11-23T10:00:00.000Z",
      enabledSince: "2026-11-23T10:00:00.000Z",
    });
    expect(stamp.consentEpoch).toBe(0);
  });

  it("to enable again, with fewer purposes, keeps since when it has been enabled and ends nothing", () => {
    const stamp = decide(
      decide(aStamp(), enable, id(6), first),
      { ...enable, purposes: ["troubleshooting"] },
      id(7),
      second,
    );
    expect(stamp.consent).toMatchObject({
      decisionId: id(7),
      decidedOn: "2026-11-24T10:00:00.000Z",
      enabledSince: "2026-11-23T10:00:00.000Z",
      purposes: ["troubleshooting"],
    });
    expect(stamp.consentEpoch).toBe(0);
  });

  it("to disable raises the epoch, and enabling again starts anew without lowering it", () => {
    const disabled = decide(decide(aStamp(), enable, id(6), first), disable, id(7), second);
    expect(disabled.consentEpoch).toBe(1);
    expect(disabled.consent.enabledSince).toBeUndefined();
    const again = decide(disabled, enable, id(8), third);
    expect(again.consentEpoch).toBe(1);
    expect(again.consent.enabledSince).toBe("2026-11-25T10:00:00.000Z");
  });

  it("touches nothing else of the stamp", () => {
    const stamp = aStamp();
    const { consent: _consent, consentEpoch: _epoch, ...rest } = decide(stamp, disable, id(6), first);
    const { consentEpoch: _before, ...before } = stamp;
    expect(rest).toEqual(before);
  });
});

describe("what stands already", () => {
  const stamp = decide(aStamp(), enable, id(6), first);

  it("is the same state by the same person under the same terms for the same purposes", () => {
    expect(isStanding(stamp, enable)).toBe(true);
  });

  it.each([
    ["state", disable],
    ["person", { ...enable, decidedBy: id(5) }],
    ["terms", { ...enable, termsVersion: "2025-01-01" }],
    ["purposes", { ...enable, purposes: ["troubleshooting" as const] }],
  ])("is not what has another %s", (_, decision) => {
    expect(isStanding(stamp, decision)).toBe(false);
  });

  it("is nothing where no decision was made in this generation", () => {
    expect(isStanding(aStamp(), disable)).toBe(false);
  });
});
