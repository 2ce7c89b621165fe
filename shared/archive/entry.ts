import { type Entry, getFileNameLowLevel } from "yauzl";

/** One entry as a zip's directory tells it. Source of the fields: PKWARE APPNOTE 6.3.10, section 4.4. */
export type ZipEntry = {
  /** With `/` between its parts; never an unsafe one where `problem` is absent. */
  readonly path: string;
  readonly problem?: EntryProblem;
  readonly isDirectory: boolean;
  readonly isEncrypted: boolean;
  /** 0 stored, 8 deflated; others cannot be read. */
  readonly method: number;
  readonly crc32: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  readonly nameBytes: number;
  /** Where its local header begins, in bytes from the zip's start. */
  readonly headerOffset: number;
  /** A DOS time has no zone: it is taken for UTC. */
  readonly modifiedOn: Date | undefined;
};

/** Why an entry is not listed: whoever unpacked it by its name could write where it should not. */
export type EntryProblem = "unsafePath" | "invalidName" | "symbolicLink" | "impossibleSize";

export const stored = 0;
export const deflated = 8;

export function zipEntry(entry: Entry): ZipEntry {
  const { fileNameRaw: raw, generalPurposeBitFlag: flags, extraFields } = entry;
  const path = getFileNameLowLevel(flags, raw, extraFields, false);
  const problem = problemOf(path, entry);
  return {
    path,
    ...(problem === undefined ? {} : { problem }),
    isDirectory: path.endsWith("/"),
    isEncrypted: entry.isEncrypted(),
    method: entry.compressionMethod,
    crc32: entry.crc32,
    compressedBytes: entry.compressedSize,
    sizeBytes: entry.uncompressedSize,
    nameBytes: raw.length,
    headerOffset: entry.relativeOffsetOfLocalHeader,
    modifiedOn: validDate(entry.getLastModDate({ timezone: "UTC" })),
  };
}

function problemOf(path: string, entry: Entry): EntryProblem | undefined {
  if (isSymbolicLink(entry)) return "symbolicLink";
  if (!isName(path)) return "invalidName";
  if (!hasPossibleSizes(entry)) return "impossibleSize";
  return isSafe(path) ? undefined : "unsafePath";
}

/** The upper half of the attributes is a Unix mode where a Unix made the entry. */
const isSymbolicLink = ({ versionMadeBy, externalFileAttributes }: Entry): boolean =>
  versionMadeBy >>> 8 === 3 && ((externalFileAttributes >>> 16) & 0o170000) === 0o120000;

/** A zip64 field holds numbers that no file has and no JSON tells exactly. */
const hasPossibleSizes = ({ compressedSize, uncompressedSize, relativeOffsetOfLocalHeader }: Entry): boolean =>
  [compressedSize, uncompressedSize, relativeOffsetOfLocalHeader].every(Number.isSafeInteger);

const longestPath = 1024;

/** U+FFFD stands where bytes were no UTF-8. */
const isName = (path: string): boolean =>
  path !== "" && path.length <= longestPath && !/[\p{Cc}\uFFFD]/u.test(path) && path.isWellFormed();

const isSafe = (path: string): boolean =>
  !path.startsWith("/") && !/^[A-Za-z]:/.test(path) && !path.split("/").some((part) => part === ".." || part === ".");

/** An extra field may hold a time of any year; those of four digits can be told. */
const validDate = (date: Date): Date | undefined =>
  date.getUTCFullYear() >= 1970 && date.getUTCFullYear() <= 9999 ? date : undefined;
