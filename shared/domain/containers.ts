import { createHash } from "node:crypto";
import { type UtcDay, utcDay, utcDaySchema } from "./utcDay.ts";

/** What a bundle's bytes are called in storage. Names hold ids and digests only, never what a client chose. */

const dayPrefix = "bundles-";

/** Begins the name of every landing container, and of no other. */
export const landingPrefix = "landing-";

/** One upload of a bundle; `attempt` is random and new for each container, so that no container's name is used twice. */
export type Upload = { readonly stampId: string; readonly bundleId: string; readonly attempt: string };

/** Where an accepted copy lies: the day of the bundle's creation, and the bundle. */
export type BundleLocation = { readonly day: UtcDay; readonly stampId: string; readonly bundleId: string };

/** The landing container of one upload of a bundle created on `day`. */
export function landingContainerName(day: UtcDay, { stampId, bundleId, attempt }: Upload): string {
  const digest = createHash("sha256").update(`${stampId}/${bundleId}/${attempt}`).digest("hex").slice(0, 40);
  return `${landingPrefix}${day}-${digest}`;
}

/** The landing container for a stamp's test writes in the hour that begins then; no bundle is ever in it. */
export function probeContainerName(stampId: string, hour: Date): string {
  const digest = createHash("sha256").update(`${stampId}/probe/${hour.toISOString()}`).digest("hex").slice(0, 40);
  return `${landingPrefix}${utcDay(hour)}-${digest}`;
}

/** The one blob that a landing container holds. */
export const landingBlobName = "bundle.zip";

/** The container of every bundle created on `day`: the unit of retention. */
export const dayContainerName = (day: UtcDay): string => `${dayPrefix}${day}`;

/** Begins the name of every day container, and of no other. */
export const dayContainerPrefix = dayPrefix;

/** The day that a day container holds; undefined for any other container. */
export function dayOfContainer(name: string): UtcDay | undefined {
  if (!name.startsWith(dayPrefix)) return undefined;
  return utcDaySchema.safeParse(name.slice(dayPrefix.length)).data;
}

/** The blob of a bundle in its day container. */
export const bundleBlobName = ({ stampId, bundleId }: BundleLocation): string => `${stampId}/${bundleId}`;
