import { createHash, randomInt, randomUUID } from "node:crypto";
import type { Actor, NewEvent } from "../../shared/domain/event.ts";
import { theService } from "../../shared/domain/event.ts";
import { addDays, type UtcDay, utcDay } from "../../shared/domain/utcDay.ts";

/** What happens in the partitions of a made-up service, day by day: events as its operations write them, of stamps that send a bundle a day. */

export const daysOfHistory = 100;
const purgeAfterDays = 80;
const firstDay = utcDay(new Date("2026-01-01T00:00:00Z"));
export const dayAt = (index: number): UtcDay => addDays(firstDay, index);

/** Of one day, in the order in which they happened. */
export type Day = readonly NewEvent[];

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Registration, consent, then a bundle a day: read now and then, and purged once it is old enough. */
export function* stampDays(stampId: string): Generator<Day> {
  const [actor, operator, decisionId] = [{ kind: "stamp", id: stampId } as const, randomUUID(), randomUUID()];
  const bundles: { bundleId: string; sizeBytes: number }[] = [];
  for (let index = 0; index < daysOfHistory; index += 1) {
    const bundle = { bundleId: randomUUID(), sizeBytes: randomInt(1e6, 4e9) };
    bundles.push(bundle);
    const old = bundles[index - purgeAfterDays];
    yield [
      ...(index === 0 ? enrolled(stampId, actor, { operator, decisionId }) : []),
      ...sent({ stampId, day: dayAt(index), ...bundle }, actor, { operator, decisionId }),
      ...(index % 5 === 0 ? [accessed({ stampId, day: dayAt(index), ...bundle })] : []),
      ...(old === undefined ? [] : [purged({ stampId, day: dayAt(index - purgeAfterDays), ...old })]),
    ];
  }
}

type Consent = { readonly operator: string; readonly decisionId: string };
type Facts = { readonly stampId: string; readonly day: UtcDay; readonly bundleId: string; readonly sizeBytes: number };

const purposes = ["troubleshooting", "productHealth"];
const termsVersion = "2026-10-01";

function enrolled(stampId: string, actor: Actor, { operator, decisionId }: Consent): NewEvent[] {
  const registered = { stampId, registrationGeneration: 1, keyIds: [randomUUID()] };
  const decided = { stampId, decisionId, decidedBy: operator, purposes, registrationGeneration: 1, state: "enabled" };
  return [
    { type: "stamp.registered", actor: { kind: "service", id: randomUUID() }, data: registered },
    { type: "consent.decided", actor, data: { ...decided, termsVersion, termsSha256: sha256(termsVersion) } },
  ];
}

function sent(facts: Facts, actor: Actor, { operator, decisionId }: Consent): NewEvent[] {
  const sha256OfBytes = sha256(facts.bundleId);
  const consent = { basis: "operator", decisionId, decidedBy: operator, purposes, termsVersion };
  const [submitted, accepted] = [move("created", "submitted"), move("submitted", "accepted")];
  return [
    { type: "bundle.created", actor, data: { ...facts, ...consent, mode: "sendNow", toState: "created" } },
    { type: "bundle.submitted", actor, data: { ...facts, ...submitted, sha256: sha256OfBytes } },
    { type: "bundle.accepted", actor: theService, data: { ...facts, ...accepted, sha256: sha256OfBytes } },
  ];
}

const move = (fromState: string, toState: string) => ({ fromState, toState });

const accessed = (facts: Facts): NewEvent => ({
  type: "bundle.accessed",
  actor: { kind: "person", id: randomUUID() },
  data: { ...facts, ...caseFacts(newCaseNumber()), caseKind: "support", purpose: "troubleshooting" },
});

const purged = (facts: Facts): NewEvent => ({
  type: "bundle.purged",
  actor: theService,
  data: { ...facts, ...move("accepted", "purged"), basis: "age" },
});

export const newCaseNumber = (): string => `2211${randomInt(1e11, 1e12 - 1)}`;
const caseFacts = (caseNumber: string) => ({ caseNumber, grantId: randomUUID() });

/** Opened on some day, lent from on the next, closed three days later. */
export function* caseDays(caseNumber: string): Generator<Day> {
  const [crm, engineer, at] = [randomUUID(), randomUUID(), caseFacts(caseNumber)];
  const [place, opened] = [{ stampId: randomUUID(), bundleId: randomUUID() }, randomInt(daysOfHistory - 4)];
  const [system, person] = [{ kind: "service", id: crm } as const, { kind: "person", id: engineer } as const];
  const expiresOn = new Date("2026-01-01T08:15:00Z").toISOString();
  const happens: Readonly<Record<number, Day>> = {
    [opened]: [{ type: "case.updated", actor: system, data: { caseNumber, revision: 1, state: "open" } }],
    [opened + 1]: [
      { type: "bundle.linked", actor: person, data: { caseNumber, ...place } },
      { type: "grant.activated", actor: person, data: { ...at, purpose: "troubleshooting", bundles: 1 } },
      { type: "url.issued", actor: person, data: { ...at, ...place, purpose: "troubleshooting", expiresOn } },
      { type: "url.issued", actor: person, data: { ...at, ...place, purpose: "troubleshooting", expiresOn } },
      { type: "grant.ended", actor: theService, data: { ...at, reason: "expired" } },
    ],
    [opened + 4]: [{ type: "case.closed", actor: system, data: { caseNumber, revision: 2 } }],
  };
  for (let index = 0; index < daysOfHistory; index += 1) yield happens[index] ?? [];
}

/** The service's own partition: a day container goes when its day is over. */
export function serviceDay(index: number): Day {
  if (index < purgeAfterDays) return [];
  const day = dayAt(index - purgeAfterDays);
  const data = { container: `bundles-${day}`, account: "stampintake", day };
  return [
    { type: "container.purgeIntended", actor: theService, data },
    { type: "container.purged", actor: theService, data },
  ];
}
