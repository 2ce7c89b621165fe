import { type LedgerEvent, ledgerPartition } from "../../api/compliance.ts";
import type { AuditWorld } from "../needs.ts";
import { noSuchPage, type PageRequest, type PageResult } from "../paging.ts";

type Needs = Pick<AuditWorld, "events" | "directory">;

/** A place in the ledger, written `partition#seq`. */
type Place = { readonly partition: string; readonly seq: number };

/**
 * The ledger by partition and seq: cases, the service's own, stamps; of one partition where it is named. Who reads from all of it is recorded
 * first, whichever page is asked for: a caller can make up the place of a page.
 */
export async function listEvents(
  world: Needs,
  page: PageRequest,
  partition: string | undefined,
  recordExport: () => Promise<void>,
): Promise<PageResult<LedgerEvent>> {
  const after = page.after === undefined ? undefined : placeIn(page.after, partition);
  if (partition === undefined) await recordExport();
  const partitions = partition === undefined ? allPartitions(world, after?.partition) : [partition];
  const value: LedgerEvent[] = [];
  for await (const each of partitions) {
    const from = each === after?.partition ? after.seq : 0;
    for await (const event of world.events.of(each, from)) {
      const last = value.at(-1);
      if (value.length === page.top && last !== undefined) return { value, next: `${last.partition}#${last.seq}` };
      value.push(event);
    }
  }
  return { value, next: undefined };
}

function placeIn(after: string, wanted: string | undefined): Place {
  const [, partition = "", seq] = /^([^#]+)#(\d{1,12})$/.exec(after) ?? [];
  if (!ledgerPartition.safeParse(partition).success || (wanted ?? partition) !== partition) throw noSuchPage();
  return { partition, seq: Number(seq) };
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
