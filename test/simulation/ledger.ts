import type { LedgerEvent } from "../support/system/shapes.ts";

/** What the ledger alone shows of the rules: an auditor's own reading of an export. */

/** Where a rule was broken, in words. */
export const brokenRules = (events: readonly LedgerEvent[]): string[] =>
  [...Map.groupBy(events, ({ partition }) => partition)].flatMap(([partition, own]) =>
    partition.startsWith("stamps/") ? ofStamp(own) : partition.startsWith("cases/") ? ofCase(own) : [],
  );

const at = ({ partition, seq, type }: LedgerEvent) => `${partition} ${seq}, ${type}`;

/** [invariant 4] A proactive bundle is created only under the decision that stands, of the generation that stands. */
function ofStamp(events: readonly LedgerEvent[]): string[] {
  const faults: string[] = [];
  let standing: unknown;
  let generation: unknown;
  for (const event of events) {
    const { type, data } = event;
    if (data.registrationGeneration !== undefined && data.registrationGeneration !== generation) {
      generation = data.registrationGeneration;
      if (type !== "consent.decided") standing = undefined;
    }
    if (type === "consent.decided") standing = data.state === "enabled" ? data.decisionId : undefined;
    const isUncovered = type === "bundle.created" && data.basis === "proactive" && data.decisionId !== standing;
    if (isUncovered || (type === "bundle.created" && data.decisionId === undefined))
      faults.push(`${at(event)}: not covered by the decision that stood`);
  }
  return faults;
}

/** [invariant 5] A URL leaves only under a grant that was active, on an open case. */
function ofCase(events: readonly LedgerEvent[]): string[] {
  const active = new Map<unknown, string>();
  const faults: string[] = [];
  let isOpen = true;
  for (const event of events) {
    const { type, data, on } = event;
    if (type === "case.closed" || type === "case.reopened") {
      isOpen = type === "case.reopened";
      active.clear();
    }
    if (type === "grant.activated" && !isOpen) faults.push(`${at(event)}: on a closed case`);
    if (type === "grant.activated") active.set(data.grantId, String(data.expiresOn));
    if (type === "grant.ended") active.delete(data.grantId);
    if (type !== "url.issued") continue;
    const expiresOn = active.get(data.grantId);
    if (expiresOn === undefined || Date.parse(expiresOn) <= Date.parse(on))
      faults.push(`${at(event)}: no active grant`);
  }
  return faults;
}

/** The state that each bundle's events end in, and why it was purged. */
export function bundlesOf(events: readonly LedgerEvent[]): Map<string, { day: string; state: string; basis?: string }> {
  const found = new Map<string, { day: string; state: string; basis?: string }>();
  for (const { data, type } of events) {
    const { bundleId, day, toState, basis } = data;
    if (typeof bundleId !== "string" || typeof toState !== "string" || typeof day !== "string") continue;
    const known = found.get(bundleId);
    found.set(bundleId, {
      day,
      state: toState,
      ...(known?.basis === undefined ? {} : { basis: known.basis }),
      ...(type === "bundle.purged" && typeof basis === "string" ? { basis } : {}),
    });
  }
  return found;
}
