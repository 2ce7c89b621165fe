import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { describe, expect, test } from "vitest";
import { byPartition, faultsIn } from "../../../local/demo/ledger.ts";
import { type LedgerEvent, ledgerEvent } from "../../../shared/api/compliance.ts";

/** A chain as the contract says it, made here without the service's own code. */
function chainOf(partition: string, types: readonly string[]): LedgerEvent[] {
  let prevHash = "0".repeat(64);
  return types.map((type, index) => {
    const on = "2026-11-22T12:00:00.000Z";
    const event = {
      partition,
      seq: index + 1,
      on,
      type,
      actor: { kind: "service", id: "x" },
      data: { place: index },
      prevHash,
    };
    prevHash = createHash("sha256")
      .update(canonicalize(event) ?? "")
      .digest("hex");
    return ledgerEvent.parse({ ...event, hash: prevHash });
  });
}

const ledger = [
  ...chainOf("service", ["a.happened"]),
  ...chainOf("cases/221128004000623", ["b.happened", "c.happened", "d.happened"]),
];
const faults = (events: readonly LedgerEvent[]) => faultsIn(byPartition(events));
const changed = (place: number, change: Partial<LedgerEvent>) =>
  ledger.map((event, index) => (index === place ? { ...event, ...change } : event));

describe("the demo's check of the ledger", () => {
  test("finds nothing wrong with a whole one", () => {
    expect(faults(ledger)).toEqual([]);
  });

  test.each([
    ["a changed type", changed(2, { type: "c.neverHappened" })],
    ["changed data", changed(0, { data: { place: 7 } })],
    ["a changed time", changed(3, { on: ledgerEvent.shape.on.parse("2026-11-22T12:00:00.001Z") })],
    ["an event that was left out", ledger.filter((_, index) => index !== 2)],
    ["a first event that was left out", ledger.filter((_, index) => index !== 1)],
    ["two events that changed places", [ledger[0], ledger[2], ledger[1], ledger[3]].flatMap((event) => event ?? [])],
  ])("finds %s", (_name, events) => {
    expect(faults(events)).not.toEqual([]);
  });
});
