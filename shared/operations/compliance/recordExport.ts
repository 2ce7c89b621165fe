import { utcDay } from "../../domain/utcDay.ts";
import { actorOf, type TokenCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { transact } from "../transact.ts";

/**
 * Writes down that an auditor takes the whole ledger, once for each auditor and UTC day, so that reading it again changes nothing. The one
 * thing that an auditor's reading writes.
 */
export async function recordExport(
  { clock, service }: Pick<World, "clock" | "service">,
  auditor: TokenCaller,
): Promise<void> {
  const day = utcDay(clock.now());
  const mark = { kind: "exported", day, subject: auditor.subject } as const;
  // Asked for each page, so one read where it is written down already.
  if (await service.isMarked(mark)) return;
  await transact(service.head, async (head) => {
    if (await service.isMarked(mark)) return;
    const event = { type: "audit.exported", actor: actorOf(auditor), data: { day } } as const;
    await service.commit(head, { events: [event], mark }, clock.now());
  });
}
