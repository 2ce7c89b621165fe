import type { LedgerEvent } from "../../api/compliance.ts";
import type { AuditWorld } from "../needs.ts";
import type { PageRequest, PageResult } from "../paging.ts";

type Needs = Pick<AuditWorld, "events" | "directory">;

/** A place in the ledger: partition and seq. */
const separator = "#";

/**
 * The ledger by partition and seq: cases, the service's own, stamps; of one partition where it is named. Whoever begins to read all of it is
 * recorded first, so that the event is in what is read.
 */
export async function listEvents(
  world: Needs,
  page: PageRequest,
  partition: string | undefined,
  recordExport: () => Promise<void>,
): Promise<PageResult<LedgerEvent>> {
  if (partition === undefined && page.after === undefined) await recordExport();
  const [afterPartition, afterSeq] = page.after?.split(separator) ?? [];
  const partitions = partition === undefined ? allPartitions(world, afterPartition) : [partition];
  const value: LedgerEvent[] = [];
  for await (const each of partitions) {
    const from = each === afterPartition ? Number(afterSeq) : 0;
    for await (const event of world.events.of(each, from)) {
      const last = value.at(-1);
      if (value.length === page.top && last !== undefined)
        return { value, next: `${last.partition}${separator}${last.seq}` };
      value.push(event);
    }
  }
  return { value, next: undefined };
}

/** In the order of their names, from the one that the last page ended in. */
async function* allPartitions(world: Needs, from: string | undefined): AsyncGenerator<string> {
  const casesFrom = from?.startsWith("cases/") ? from.slice("cases/".length) : undefined;
  const stampsFrom = from?.startsWith("stamps/") ? from.slice("stamps/".length) : undefined;
  if (from === undefined || casesFrom !== undefined) {
    if (casesFrom !== undefined) yield `cases/${casesFrom}`;
    for await (const { item } of world.directory.cases(casesFrom)) yield `cases/${item}`;
  }
  if (stampsFrom === undefined) yield "service";
  else yield `stamps/${stampsFrom}`;
  for await (const { item } of world.directory.senders(stampsFrom)) yield `stamps/${item}`;
}
