import { caseNumber, stampId } from "../../api/primitives.ts";
import type { Events } from "../../operations/needs.ts";
import type { LedgerRows } from "./ledger.ts";

/** The ledger across its tables: which one a partition's name means. */
export function openEvents(ledgers: {
  readonly stamps: LedgerRows;
  readonly cases: LedgerRows;
  readonly service: LedgerRows;
}): Events {
  function locate(partition: string): { ledger: LedgerRows; key: string } | undefined {
    const [kind, id = ""] = partition.split("/");
    if (partition === "service") return { ledger: ledgers.service, key: partition };
    if (kind === "stamps" && stampId.safeParse(id).success) return { ledger: ledgers.stamps, key: id };
    if (kind === "cases" && caseNumber.safeParse(id).success) return { ledger: ledgers.cases, key: id };
    return undefined;
  }

  return {
    of: (partition, afterSeq) => {
      const found = locate(partition);
      return found === undefined ? none() : found.ledger.events(found.key, afterSeq);
    },
    position: async (partition) => {
      const found = locate(partition);
      return found && (await found.ledger.head(found.key, partition)).position;
    },
  };
}

async function* none(): ReturnType<Events["of"]> {}
