import type { Retention } from "../api/compliance.ts";
import type { BundleId, StampId, UtcTime } from "../api/primitives.ts";
import { dayContainerName } from "./containers.ts";
import { dayMs, dayPurgeOn, instant, overduePageDays, overdueWarningDays, retentionDays } from "./retention.ts";
import type { UtcDay } from "./utcDay.ts";

/** What the retention report accuses the service of: each broken promise by its code, and since when (`DESIGN.md`, Time). */

export type Violation = Retention["violations"][number];

/** The purge runs every ten minutes: a day container that is a day late has been tried many times. */
const purgeGraceMs = dayMs;

/** Likewise an erasure, of which the operator was told the hour. */
const erasureGraceMs = 2 * 3_600_000;

type Held = { readonly day: UtcDay; readonly account: string; readonly purgeOn: UtcTime };

/** Every limit that a day container has passed and is still there. */
export function heldTooLong({ day, account, purgeOn }: Held, now: Date): Violation[] {
  const container = dayContainerName(day);
  const where = `${container} on account ${account}`;
  const limits = [
    { code: "PurgeOverdue", since: purgeOn, graceMs: purgeGraceMs, message: `${where} was due and is still there.` },
    ...[overdueWarningDays, overduePageDays].map((days) => ({
      code: `PurgeLate${days}`,
      since: dayPurgeOn(day, days),
      graceMs: 0,
      message: `${where} is still there after ${days} days: find out why purgeDue fails, day ${retentionDays} is the hard line.`,
    })),
    {
      code: `PastDay${retentionDays}`,
      since: dayPurgeOn(day, retentionDays),
      graceMs: 0,
      message: `${where} is still there after ${retentionDays} days: delete it now.`,
    },
  ];
  return limits
    .filter(({ since, graceMs }) => instant(since) + graceMs <= now.getTime())
    .map(({ code, since, message }) => ({ code, message, since, container }));
}

type Due = {
  readonly stampId: StampId;
  readonly bundleId: BundleId;
  readonly basis: "erasure" | "caseClosed";
  readonly dueOn: UtcTime;
};

/** A deletion of one bundle that was promised for a time well past. */
export function earlyOverdue({ stampId, bundleId, basis, dueOn }: Due, now: Date): Violation[] {
  if (instant(dueOn) + erasureGraceMs > now.getTime()) return [];
  const { code, message } = overdue[basis];
  return [{ code, message, since: dueOn, stampId, bundleId }];
}

const overdue = {
  erasure: { code: "ErasureOverdue", message: "The operator's erasure was due and the bundle is still there." },
  caseClosed: {
    code: "CaseClosePurgeOverdue",
    message: "The bundle's cases were closed long enough and it is still there.",
  },
} as const;

/** A purge timer that has not succeeded for a day, while there is something to purge some day. */
export function purgeSilent(lastSuccess: UtcTime | undefined, held: readonly Held[], now: Date): Violation[] {
  const since = lastSuccess ?? held.map(({ day }) => dayPurgeOn(day, 1))[0];
  if (held.length === 0 || since === undefined || instant(since) + dayMs > now.getTime()) return [];
  return [
    {
      code: "PurgeTimerSilent",
      message: "purgeDue has not succeeded for a day: find out why it fails or does not run.",
      since,
    },
  ];
}
