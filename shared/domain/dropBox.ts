import { createHash } from "node:crypto";
import * as z from "zod";
import { closeReason, dropBoxState, refusedFiles } from "../api/dropBoxes.ts";
import {
  type BundleId,
  bundleId,
  caseNumber,
  type DropBoxId,
  dropBoxId,
  guid,
  type StampId,
  stampId,
  toUtcTime,
  type UtcTime,
  utcTime,
} from "../api/primitives.ts";
import { coveringConsent } from "./bundle.ts";
import { guidOfDigest } from "./digest.ts";
import { instant } from "./retention.ts";

/** A container that a stamp which cannot sign is given to write to, and what becomes of the files in it (`docs/decisions/drop-boxes.md`). */

export const dropBoxRecord = z.object({
  kind: z.literal("dropBox"),
  dropBoxId,
  /** The id of its partition and of its bundles' sender; see `senderOf`. */
  stampId,
  caseNumber,
  state: dropBoxState,
  /** The customer's contact, and who consented: subject ids. */
  contact: z.string(),
  decidedBy: z.string(),
  emailNote: guid.optional(),
  consentDecision: coveringConsent,
  stampVersion: z.string().optional(),
  createdOn: utcTime,
  /** When it closes by itself, and its URLs end. */
  expiresOn: utcTime,
  deleteBy: utcTime,
  purgeOn: utcTime,
  closing: z.object({ on: utcTime, reason: closeReason }).optional(),
  /** Who empties it now, and until when nobody else may (`operations/dropBoxes/boxTurn.ts`). */
  claim: z.object({ holder: guid, until: utcTime }).optional(),
  /** When all that it held was first looked through, closing. */
  listedOn: utcTime.optional(),
  /** What was in it. From here on no file is taken, and nothing that is in its container is needed. */
  emptied: z.object({ files: z.int(), bytes: z.int(), refused: refusedFiles }).optional(),
  closedOn: utcTime.optional(),
  requestDigest: z.string(),
  account: z.string(),
  container: z.string(),
  /** Nothing ends a box's bundles but their own ends: its epochs stand. */
  consentEpoch: z.literal(0),
  uploadEpoch: z.literal(0),
});
export type DropBoxRecord = z.infer<typeof dropBoxRecord>;

const hour = 3_600_000;

/** Hours without a write after which a box closes by itself. */
export const quietHours = 24;

/** A file as the listing of a box's container shows it. */
export type ArrivedFile = {
  /** The blob's name, with the folders in it. */
  readonly path: string;
  /** Without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  /** Of its last write, by storage's clock. */
  readonly writtenOn: Date;
  /** Whether it is a block blob that the service can read. */
  readonly readable: boolean;
  /** Whether a URL can name it. */
  readonly addressable: boolean;
};

export type RefusedFile = z.infer<typeof refusedFiles>[number]["code"];

type Limits = {
  readonly maxBundleBytes: number;
  readonly maxDropBoxFiles: number;
  /** Whether files are still taken: the box has not been closing for too long, and a copy of today would still be deleted in time. */
  readonly isInTime: boolean;
};

/** Why a file does not become a bundle, `taken` files having become one before it; undefined where it does. */
export function refusalOf(file: ArrivedFile, taken: number, limits: Limits): RefusedFile | undefined {
  if (!file.addressable) return "UnusableName";
  if (file.sizeBytes === 0) return "EmptyFile";
  if (!file.readable) return "UnusableBlob";
  if (file.sizeBytes > limits.maxBundleBytes) return "FileTooLarge";
  if (!limits.isInTime) return "TooLate";
  return taken >= limits.maxDropBoxFiles ? "TooManyFiles" : undefined;
}

/** Zips are taken first, so that a mass of other files never crowds out the logs. */
export const isZip = ({ path }: Pick<ArrivedFile, "path">): boolean => /\.zip$/i.test(path);

/**
 * Who sends what arrives in the box. Whoever opens a box chooses its id, and may choose a Cloud ID; a digest of it equals no Cloud ID, and nobody can
 * choose a box for a given sender.
 */
export const senderOf = (box: DropBoxId): StampId => stampId.parse(guidOf("stamp-intake drop box", box));

/** The bundle of one version of a file: the same whenever it is asked for, so that a round of closing may be repeated. */
export const bundleIdOf = (sender: StampId, { path, etag }: Pick<ArrivedFile, "path" | "etag">): BundleId =>
  bundleId.parse(guidOf(sender, path, etag));

const guidOf = (...names: readonly string[]): string =>
  guidOfDigest(createHash("sha256").update(JSON.stringify(names)).digest("hex"));

const longestFileName = 1024;

/** The path as a name that the contract allows: every character that a file name cannot have becomes `_`. Of one that is too long its end. */
export function fileNameOf(path: string): string {
  const name = path
    // biome-ignore lint/suspicious/noControlCharactersInRegex: replacing them is the point
    .replaceAll(/[/\\":*?<>|\u0000-\u001f\u007f-\u009f]/g, "_")
    .slice(-longestFileName)
    .toWellFormed();
  return /^\.*$/.test(name) ? "_" : name;
}

const contentTypes: Readonly<Record<string, string>> = {
  zip: "application/zip",
  log: "text/plain",
  txt: "text/plain",
  json: "application/json",
};

/** By the name alone; what is none of these is a row of bytes. */
export const contentTypeOf = (path: string): string =>
  contentTypes[/\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? ""] ?? "application/octet-stream";

/** When it closes by itself: its hours are over, or its day is due for deletion. */
export const expiryOf = (createdOn: Date, hours: number, purgeOn: UtcTime): UtcTime =>
  toUtcTime(new Date(Math.min(createdOn.getTime() + hours * hour, instant(purgeOn))));

/** When it has been quiet for long enough, or is over anyway. */
export const quietOn = (box: DropBoxRecord, lastArrival: Date | undefined): Date => {
  const since = Math.max(instant(box.createdOn), lastArrival?.getTime() ?? 0);
  return new Date(Math.min(since + quietHours * hour, instant(box.expiresOn)));
};

/** Why an open box closes by itself now; undefined where it stays open. */
export function reasonToClose(
  box: DropBoxRecord,
  lastArrival: Date | undefined,
  now: Date,
): "expired" | "quiet" | undefined {
  if (now.getTime() >= instant(box.expiresOn)) return "expired";
  return now.getTime() >= quietOn(box, lastArrival).getTime() ? "quiet" : undefined;
}

/** How long a box that is closing goes on taking what arrives. */
const roundsMs = 15 * 60_000;

/** Whether what is found in a box that is closing still becomes bundles. Its first look through all that it holds takes everything, however late it is. */
export const takesArrivals = ({ closing, emptied, listedOn }: DropBoxRecord, now: Date): boolean =>
  closing !== undefined &&
  emptied === undefined &&
  (listedOn === undefined || now.getTime() < instant(closing.on) + roundsMs);

/** A pause that grows with the time that the box has been closing. */
export const secondsToNextTurn = ({ closing }: DropBoxRecord, now: Date): number => {
  const seconds = closing === undefined ? 0 : (now.getTime() - instant(closing.on)) / 1000;
  return Math.round(Math.min(30, Math.max(3, seconds / 10)));
};

/** Whether a URL may still be given for it. */
export const takesFiles = (box: DropBoxRecord, now: Date): boolean =>
  box.state === "open" && now.getTime() < instant(box.expiresOn);
