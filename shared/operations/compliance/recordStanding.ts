import canonicalize from "canonicalize";
import { type EventData, type EventType, type NewEvent, theService } from "../../domain/event.ts";
import type { Violation } from "../../domain/violations.ts";
import type { SaidOfItself, World } from "../needs.ts";
import { transact } from "../transact.ts";
import { settingsInForce } from "./settingsInForce.ts";

/**
 * The ledger tells which settings are in force and what the reconciler finds, each time that it has changed (`DESIGN.md`, Data): an auditor sees
 * since when a setting held, and that a finding was there and went away. Codes and their number only; what they are about is in the report.
 */
export async function recordStanding(
  { clock, rules, service }: Pick<World, "clock" | "rules" | "service">,
  violations: readonly Violation[],
): Promise<void> {
  const settings = settingsInForce(rules);
  const findings = findingsOf(violations);
  await transact(service.head, async (head) => {
    const said = head.state?.said;
    const news: SaidOfItself = {
      ...(isSame(said?.settings, settings) ? {} : { settings }),
      ...(isSame(said?.findings ?? findingsOf([]), findings) ? {} : { findings }),
    };
    const events = [...told("settings.inForce", news.settings), ...told("reconciler.found", news.findings)];
    if (events.length > 0) await service.commit(head, { events, said: news }, clock.now());
  });
}

const findingsOf = (violations: readonly Violation[]): EventData => ({
  codes: [...new Set(violations.map(({ code }) => code))].sort(),
  count: violations.length,
});

const isSame = (one: EventData | undefined, other: EventData): boolean => canonicalize(one) === canonicalize(other);

const told = (type: EventType, data: EventData | undefined): NewEvent[] =>
  data === undefined ? [] : [{ type, actor: theService, data }];
