import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { LedgerEvent } from "../../shared/api/compliance.ts";

/** Checks the ledger as somebody would who does not trust the service: from its events and `API.md` alone. */

const beforeTheFirst = "0".repeat(64);

export type Chains = ReadonlyMap<string, readonly LedgerEvent[]>;

/** The events of each partition, in the order in which they were listed. */
export const byPartition = (events: readonly LedgerEvent[]): Chains =>
  Map.groupBy(events, ({ partition }) => partition);

/** Everything that is wrong with the chains, in words; empty where each event follows the one before it and none was altered. */
export function faultsIn(chains: Chains): string[] {
  return [...chains].flatMap(([partition, events]) =>
    events.flatMap((event, index) => {
      const before = events[index - 1];
      const at = `${partition} ${event.seq}`;
      return [
        ...(event.seq === index + 1 ? [] : [`${at}: stands at place ${index + 1}`]),
        ...(event.prevHash === (before?.hash ?? beforeTheFirst) ? [] : [`${at}: does not follow the event before it`]),
        ...(event.hash === hashOf(event) ? [] : [`${at}: is not what its hash says`]),
      ];
    }),
  );
}

/** SHA-256 of the RFC 8785 form of the event without its hash. */
function hashOf({ hash: _hash, ...event }: LedgerEvent): string {
  return createHash("sha256")
    .update(canonicalize(event) ?? "")
    .digest("hex");
}
