import { createHash } from "node:crypto";
import * as z from "zod";
import { type BundleId, bundleId, type DropBoxId, dropBoxId, type StampId, stampId } from "../api/primitives.ts";
import { type UtcDay, utcDay, utcDaySchema } from "./utcDay.ts";

/** What a bundle's bytes are called in storage. Names hold ids and digests only, never what a client chose. */

const dayPrefix = "bundles-";

/** Begins the name of every landing container, and of no other. */
export const landingPrefix = "landing-";

/** One upload of a bundle; `attempt` is random and new for each container, so that no container's name is used twice. */
export type Upload = { readonly stampId: string; readonly bundleId: string; readonly attempt: string };

/** Where an accepted copy lies: the day of the bundle's creation, and the bundle. */
export type BundleLocation = Bundle & { readonly day: UtcDay };

type Bundle = { readonly stampId: string; readonly bundleId: string };

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

/** The day of creation that a landing container's name says; undefined for any other container. */
export function uploadDayOfContainer(name: string): UtcDay | undefined {
  return utcDaySchema.safeParse(/^landing-(\d{8})-/.exec(name)?.[1]).data;
}

/** The one blob that a landing container holds. */
export const landingBlobName = "bundle.zip";

const boxPrefix = "box-";

/** The container of a drop box opened on `day`. */
export const boxContainerName = (day: UtcDay, box: DropBoxId): string => `${boxPrefix}${day}-${box}`;

/** What the name of a drop box's container tells; undefined for any other container. */
export function boxOfContainer(name: string): { readonly day: UtcDay; readonly dropBoxId: DropBoxId } | undefined {
  const [, day, id] = /^box-(\d{8})-([0-9a-f-]{36})$/.exec(name) ?? [];
  const box = { day: utcDaySchema.safeParse(day), id: dropBoxId.safeParse(id) };
  return box.day.success && box.id.success ? { day: box.day.data, dropBoxId: box.id.data } : undefined;
}

/** The container of every bundle created on `day`: the unit of retention. */
export const dayContainerName = (day: UtcDay): string => `${dayPrefix}${day}`;

/** Begins the name of every day container, and of no other. */
export const dayContainerPrefix = dayPrefix;

/** The day that a day container holds; undefined for any other container. */
export function dayOfContainer(name: string): UtcDay | undefined {
  if (!name.startsWith(dayPrefix)) return undefined;
  return utcDaySchema.safeParse(name.slice(dayPrefix.length)).data;
}

/** The blob of a bundle in its day container; what is derived from it lies beside it, under names that begin with this one. */
export const bundleBlobName = ({ stampId, bundleId }: Bundle): string => `${stampId}/${bundleId}`;

/** The lines of a bundle's inventory, and what is kept beside them. */
export const filesBlobName = (bundle: Bundle): string => `${bundleBlobName(bundle)}.files`;
export const inventoryBlobName = (bundle: Bundle): string => `${bundleBlobName(bundle)}.inventory`;

/** Where the paths that were lent are kept, so that their customer sees them while the bundle lives. */
export const lentPathsBlobName = (bundle: Bundle): string => `${bundleBlobName(bundle)}.paths/lent`;

/** The bundle that a blob of a day container is of, or derived from; undefined where it is neither. */
export function bundleOfBlob(name: string): { readonly stampId: StampId; readonly bundleId: BundleId } | undefined {
  const [stamp, blob] = name.split("/");
  const ids = z.tuple([stampId, bundleId]).safeParse([stamp, blob?.split(".")[0]]);
  return ids.success ? { stampId: ids.data[0], bundleId: ids.data[1] } : undefined;
}

const lentPrefix = "lent-";

/** The container of what was taken out of bundles and lent on `day`: gone a day later (`DESIGN.md`, Data). */
export const lentContainerName = (day: UtcDay): string => `${lentPrefix}${day}`;
export const lentContainerPrefix = lentPrefix;

/** The day of lending that a container holds; undefined for any other container. */
export function lentDayOfContainer(name: string): UtcDay | undefined {
  if (!name.startsWith(lentPrefix)) return undefined;
  return utcDaySchema.safeParse(name.slice(lentPrefix.length)).data;
}

/** One file that was taken out of a bundle. */
export const lentBlobName = (bundle: Bundle, digest: string): string => `${bundleBlobName(bundle)}/${digest}`;
