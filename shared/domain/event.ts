import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import * as z from "zod";
import { type UtcTime, utcTime } from "../api/primitives.ts";

/**
 * The ledger: in each partition a chain of events, insert-only (`DESIGN.md`, Data; `API.md`, Event).
 * Events hold codes, ids, counts and salted digests only; people are subject ids.
 */

export const actor = z.object({ kind: z.enum(["stamp", "person", "service"]), id: z.string() });
export type Actor = z.infer<typeof actor>;

/** Who acts when a timer or a queue message does. */
export const theService: Actor = { kind: "service", id: "stamp-intake" };

export const eventTypes = [
  "stamp.registered",
  "stamp.updated",
  "stamp.keyRotated",
  "stamp.disabled",
  "stamp.enabled",
  "stamp.accessApprovalSet",
  "consent.decided",
  "bundle.created",
  "bundle.submitted",
  "bundle.accepted",
  "bundle.rejected",
  "bundle.canceled",
  "bundle.expired",
  "bundle.verificationDelayed",
  "bundle.erasureRequested",
  "bundle.erasureCanceled",
  "bundle.purgeReconsidered",
  "bundle.purgeIntended",
  "bundle.purged",
  "bundle.accessed",
  "bundle.listed",
  "bundle.caseAdded",
  "bundle.caseRemoved",
  "dropBox.opened",
  "dropBox.added",
  "dropBox.urlIssued",
  "dropBox.closing",
  "dropBox.emptied",
  "dropBox.closed",
  "case.updated",
  "case.closed",
  "case.reopened",
  "bundle.linked",
  "bundle.unlinked",
  "access.requested",
  "access.approved",
  "access.denied",
  "access.requestClosed",
  "grant.requested",
  "grant.activated",
  "grant.ended",
  "url.issued",
  "container.purgeIntended",
  "container.purged",
  "checkpoint.sealed",
  "person.forgotten",
  "audit.exported",
  "settings.inForce",
  "reconciler.found",
  "ledger.restored",
] as const;
export type EventType = (typeof eventTypes)[number];

type Fact = string | number | boolean | readonly string[];
export type EventData = Readonly<Record<string, Fact>>;
export const eventData: z.ZodType<EventData> = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]),
);

/** What an operation says happened; the ledger adds partition, seq, time and hashes. */
export type NewEvent = { readonly type: EventType; readonly actor: Actor; readonly data: EventData };

export const chainedEvent = z.object({
  partition: z.string(),
  seq: z.int().min(1),
  on: utcTime,
  type: z.string(),
  actor,
  data: z.record(z.string(), z.unknown()),
  prevHash: z.string(),
  hash: z.string(),
});
export type ChainedEvent = z.infer<typeof chainedEvent>;

/** Where a chain stands: the last seq and its hash. */
export type ChainPosition = { readonly seq: number; readonly hash: string };

/** Before the first event. */
export const chainStart: ChainPosition = { seq: 0, hash: "0".repeat(64) };

/** The RFC 8785 form of an event. */
export function eventForm(event: Omit<ChainedEvent, "hash">): string {
  const form = canonicalize(event);
  if (form === undefined) throw new TypeError("An event must be JSON");
  return form;
}

/** Lower-case hex SHA-256 of the RFC 8785 form of the event without its hash. */
export const eventHash = (event: Omit<ChainedEvent, "hash">): string =>
  createHash("sha256").update(eventForm(event), "utf8").digest("hex");

/** Appends events to the chain of `partition`, all at the time `on`. */
export function chain(
  partition: string,
  from: ChainPosition,
  on: UtcTime,
  events: readonly NewEvent[],
): readonly ChainedEvent[] {
  const chained: ChainedEvent[] = [];
  let position = from;
  for (const event of events) {
    const unsealed = {
      partition,
      seq: position.seq + 1,
      on,
      type: event.type,
      actor: event.actor,
      data: { ...event.data },
      prevHash: position.hash,
    };
    const sealed = { ...unsealed, hash: eventHash(unsealed) };
    chained.push(sealed);
    position = sealed;
  }
  return chained;
}
