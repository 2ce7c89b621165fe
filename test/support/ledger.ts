import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { expect } from "vitest";
import type { LedgerEvent } from "./system/shapes.ts";

/** The ledger as somebody checks it who does not trust the service: from its events and the contract's words alone. */

/** Fails unless each partition's events follow one another: seq from 1, 64 zeros first, SHA-256 of the RFC 8785 form without `hash`. */
export function expectWholeLedger(events: readonly LedgerEvent[]): void {
  expect(faultsOf(events)).toEqual([]);
}

/** What is wrong with the chains, in words; empty where nothing is. */
export function faultsOf(events: readonly LedgerEvent[]): string[] {
  const partitions = Map.groupBy(events, (event) => event.partition);
  return [...partitions].flatMap(([partition, chain]) =>
    chain.flatMap(({ hash, ...event }, index) => {
      const at = `${partition} ${event.seq}`;
      const before = chain[index - 1]?.hash ?? "0".repeat(64);
      const computed = createHash("sha256").update(canonicalize(event) ?? "");
      return [
        ...(event.seq === index + 1 ? [] : [`${at} stands at place ${index + 1}`]),
        ...(event.prevHash === before ? [] : [`${at} does not follow the event before it`]),
        ...(hash === computed.digest("hex") ? [] : [`${at} is not what its hash says`]),
      ];
    }),
  );
}

/** How many events there are of each type. */
export const counted = (events: readonly LedgerEvent[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(events, (event) => event.type)].map(([type, same]) => [type, same.length]));

/** The events that name this bundle. */
export const ofBundle = (events: readonly LedgerEvent[], bundleId: string): LedgerEvent[] =>
  events.filter((event) => event.data.bundleId === bundleId);
