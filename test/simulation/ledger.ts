import type { LedgerEvent } from "../support/system/shapes.ts";

/** What the ledger alone shows of the rules: an auditor's own reading of an export. */

/** Where a rule was broken, in words; `now` is when the export was made. */
export function brokenRules(events: readonly LedgerEvent[], now: number): string[] {
  const given = events.filter(({ type }) => type === "grant.activated");
  const starts = new Map(given.map(({ data }) => [data.grantId, Date.parse(String(data.startsOn))]));
  return [...Map.groupBy(events, ({ partition }) => partition)].flatMap(([partition, own]) =>
    partition.startsWith("stamps/")
      ? [...ofStamp(own), ...ofApprovals(own, starts, now)]
      : partition.startsWith("cases/")
        ? ofCase(own)
        : [],
  );
}

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

/** A request lapses after four days; the sweeper has had a few hours more. */
const answeredInMs = (4 * 24 + 4) * 3_600_000;

/**
 * [invariant 5] Nobody is given access before the operator approved, or after they denied; whom they need not approve began before they said that
 * they want to. No question stays open. `starts`: when each grant began.
 */
function ofApprovals(events: readonly LedgerEvent[], starts: ReadonlyMap<unknown, number>, now: number): string[] {
  let requiredSince = Infinity;
  const answers = new Map<unknown, { readonly event: LedgerEvent; outcome: string }>();
  const faults: string[] = [];
  for (const event of events) {
    const { type, data } = event;
    if (type === "stamp.accessApprovalSet")
      requiredSince = data.mode === "required" ? Math.min(requiredSince, Date.parse(event.on)) : Infinity;
    if (type === "access.requested") answers.set(data.grantId, { event, outcome: "waits" });
    const answer = answers.get(data.grantId);
    if (answer === undefined) {
      if (isAccess(type) && (starts.get(data.grantId) ?? Infinity) >= requiredSince)
        faults.push(`${at(event)}: the operator was not asked`);
      continue;
    }
    if (type === "access.approved" || type === "access.denied" || type === "access.requestClosed")
      answer.outcome = type;
    if (isAccess(type) && answer.outcome !== "access.approved")
      faults.push(`${at(event)}: the operator was asked, and it ${answer.outcome}`);
  }
  const open = [...answers.values()].filter(({ outcome }) => outcome === "waits");
  const forgotten = open.filter(({ event }) => Date.parse(String(event.data.requestedOn)) + answeredInMs < now);
  return [...faults, ...forgotten.map(({ event }) => `${at(event)}: nobody ended it`)];
}

const isAccess = (type: string): boolean => type === "bundle.accessed" || type === "bundle.listed";

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
