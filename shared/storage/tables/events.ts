import { caseNumber, stampId } from "../../api/primitives.ts";
import type { Events } from "../../operations/needs.ts";

type Ledger = { readonly events: (key: string, afterSeq: number) => ReturnType<Events["of"]> };

/** The ledger across its tables: which one a partition's name means. */
export function openEvents(ledgers: {
  readonly stamps: Ledger;
  readonly cases: Ledger;
  readonly service: Ledger;
}): Events {
  return {
    of: (partition, afterSeq) => {
      const [kind, id] = partition.split("/");
      if (kind === "service" && id === undefined) return ledgers.service.events("service", afterSeq);
      if (kind === "stamps" && stampId.safeParse(id).success) return ledgers.stamps.events(id ?? "", afterSeq);
      if (kind === "cases" && caseNumber.safeParse(id).success) return ledgers.cases.events(id ?? "", afterSeq);
      return none();
    },
  };
}

async function* none(): ReturnType<Events["of"]> {}
