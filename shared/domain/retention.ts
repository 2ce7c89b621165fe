import { toUtcTime, type UtcTime } from "../api/primitives.ts";
import { addDays, startOfDay, type UtcDay, utcDay } from "./utcDay.ts";

/** The clock of retention: it starts when the bundle is created here, and nothing extends it (`DOMAIN.md`, promise 4). */

const hour = 3_600_000;
export const dayMs = 24 * hour;

/** The hard line: no byte lives past it (`DESIGN.md`, invariant 3). */
export const retentionDays = 90;

/** Days after which the reconciler warns, and pages, about a day that is still there (`DESIGN.md`, Time). */
export const overdueWarningDays = 82;
export const overduePageDays = 84;

/** Days after which storage itself deletes what is left (`infra/modules/bundleAccount.bicep`): a net, never the mechanism. */
export const lifecycleDays = 83;

/** Hours after which a bundle that nobody submitted expires. */
export const unsubmittedHours = 48;

/** No copy starts after this day, so that a lifecycle rule that counts from the copy still ends before day 90. */
export const lastCopyDay = 4;

export const instant = (time: UtcTime): number => Date.parse(time);

/** `createdOn` and 90 days. */
export const deleteBy = (createdOn: Date): UtcTime => toUtcTime(new Date(createdOn.getTime() + retentionDays * dayMs));

/** A day's container goes at the start of the UTC day that is `purgeAfterDays` after it, with everything in it. */
export const dayPurgeOn = (day: UtcDay, purgeAfterDays: number): UtcTime =>
  toUtcTime(startOfDay(addDays(day, purgeAfterDays)));

export const purgeOn = (createdOn: Date, purgeAfterDays: number): UtcTime =>
  dayPurgeOn(utcDay(createdOn), purgeAfterDays);

/** When a bundle that stays `created` expires. */
export const expiresUnsubmittedOn = (createdOn: UtcTime): Date =>
  new Date(instant(createdOn) + unsubmittedHours * hour);

/** Whether a copy into the day container may still start. */
export const mayStartCopy = (bundle: { createdOn: UtcTime; purgeOn: UtcTime }, now: Date): boolean =>
  now.getTime() < instant(bundle.createdOn) + lastCopyDay * dayMs && now.getTime() < instant(bundle.purgeOn);

/** Nothing is derived from a bundle after this day: a lifecycle rule counts from each blob's own creation. */
export const lastDerivingDay = lastCopyDay + 1;

/** Whether an inventory may still be kept beside the bundle, so that the rule after `lifecycleDays` deletes it before day 90. */
export const mayDerive = (bundle: { createdOn: UtcTime }, now: Date): boolean =>
  now.getTime() < instant(bundle.createdOn) + lastDerivingDay * dayMs;

/** Seconds to wait before verification is tried again: 30 s doubling, at most an hour. */
export const verificationBackOffSeconds = (attempts: number): number =>
  Math.min(3600, 30 * 2 ** Math.min(attempts - 1, 7));

/** Milliseconds into the next day that a URL issued at the end of one still lives, with room to spare. */
const lentOverlapMs = 3_600_000;

/** Whether what was lent in parts on `day` is to be dropped: a day later (`DESIGN.md`, Data). */
export const isLentDayOver = (day: UtcDay, now: Date): boolean =>
  now.getTime() >= startOfDay(day).getTime() + dayMs + lentOverlapMs;

/** A purge that runs every ten minutes has failed to drop it many times. */
const lentGraceDays = 1;

/** Whether what was lent in parts on `day` should be long gone. */
export const isLentDayLate = (day: UtcDay, now: Date): boolean =>
  now.getTime() >= startOfDay(addDays(day, 1 + lentGraceDays)).getTime();

/** Seconds from submit to verdict. */
export const verificationLag = (
  { submittedOn }: { submittedOn?: UtcTime | undefined },
  now: Date,
): number | undefined => (submittedOn === undefined ? undefined : (now.getTime() - instant(submittedOn)) / 1000);

/** Days since the bundle was created, in parts. */
export const ageDays = ({ createdOn }: { createdOn: UtcTime }, now: Date): number =>
  Math.round(((now.getTime() - instant(createdOn)) / dayMs) * 100) / 100;
