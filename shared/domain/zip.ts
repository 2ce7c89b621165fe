/**
 * Whether a file looks like a whole zip, judged by its two ends: it starts with an entry, and its directory's end is
 * where it should be and points inside the file. What was cut short or is something else fails here; a zip that holds nothing is a whole one.
 * Source of the fields: PKWARE APPNOTE 6.3.10, sections 4.3.7 and 4.3.14–4.3.16.
 */

export type ZipRule =
  | "empty"
  | "startsWithAnEntry"
  | "endOfDirectoryPresent"
  | "endsWithTheFile"
  | "singleDisk"
  | "zip64DirectoryPresent"
  | "countsItsEntries"
  | "directoryInPlace"
  | "directoryHoldsEntries";

export type ZipVerdict =
  | { readonly ok: true; readonly entries: number }
  | { readonly ok: false; readonly rule: ZipRule; readonly message: string };

/** A file's first bytes, its last ones and its size. Both ends may overlap, or be the whole file. */
export type FileEnds = { readonly head: Uint8Array; readonly tail: Uint8Array; readonly sizeBytes: number };

/** Bytes at a file's end that the verdict needs: the longest comment and the records around it, with room to spare. */
export const zipTailBytes = 128 * 1024;

const signatures = {
  entry: 0x04034b50,
  directoryEntry: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
const endBytes = 22;
const end64Bytes = 56;
const locator64Bytes = 20;
const directoryEntryBytes = 46;
const longestComment = 0xffff;

/** Where a zip's directory is, in bytes from the file's start, and how many entries it says it has. */
export type Directory = {
  readonly entries: number;
  readonly offset: number;
  readonly sizeBytes: number;
  /** Where the records behind the directory begin. */
  readonly endsBefore: number;
};

/** Judges a file by its ends; a refusal names the first rule that failed and tells the sender what it means. */
export function zipVerdict(file: FileEnds): ZipVerdict {
  if (file.sizeBytes === 0) return refused("empty");
  if (!startsAsZip(view(file.head))) return refused("startsWithAnEntry");
  const directory = findDirectory(file);
  return typeof directory === "string" ? refused(directory) : judgeDirectory(directory, file);
}

/** With an entry; what holds none begins with what ends it. */
const startsAsZip = (head: DataView): boolean =>
  [signatures.entry, signatures.end, signatures.end64].some((signature) => hasSignature(head, 0, signature));

/** The directory that the end record describes, or the rule that kept it from being found. */
export function findDirectory(file: Pick<FileEnds, "tail" | "sizeBytes">): Directory | ZipRule {
  const tail = view(file.tail);
  const end = findEnd(tail);
  if (typeof end === "string") return end;
  const tailStartsAt = file.sizeBytes - file.tail.byteLength;
  const directory = {
    disk: tail.getUint16(end + 4, true),
    directoryDisk: tail.getUint16(end + 6, true),
    entriesHere: tail.getUint16(end + 8, true),
    entries: tail.getUint16(end + 10, true),
    sizeBytes: tail.getUint32(end + 12, true),
    offset: tail.getUint32(end + 16, true),
    endsBefore: tailStartsAt + end,
  };
  const locator = end - locator64Bytes;
  if (hasSignature(tail, locator, signatures.locator64)) return findDirectory64(tail, locator, tailStartsAt);
  // Without a locator 0xffff entries are just that many; 0xffffffff can only be a pointer to a record that is missing.
  if (directory.sizeBytes === 0xffffffff || directory.offset === 0xffffffff) return "zip64DirectoryPresent";
  return onOneDisk(directory) ? directory : "singleDisk";
}

function findEnd(tail: DataView): number | ZipRule {
  const last = tail.byteLength - endBytes;
  let seen = false;
  for (let at = last; at >= Math.max(0, last - longestComment); at--) {
    if (!hasSignature(tail, at, signatures.end)) continue;
    seen = true;
    if (at + endBytes + tail.getUint16(at + 20, true) === tail.byteLength) return at;
  }
  return seen ? "endsWithTheFile" : "endOfDirectoryPresent";
}

function findDirectory64(tail: DataView, locator: number, tailStartsAt: number): Directory | ZipRule {
  const recordAt = Number(tail.getBigUint64(locator + 8, true)) - tailStartsAt;
  if (recordAt + end64Bytes > locator || !hasSignature(tail, recordAt, signatures.end64))
    return "zip64DirectoryPresent";
  const directory = {
    disk: tail.getUint32(recordAt + 16, true),
    directoryDisk: tail.getUint32(recordAt + 20, true),
    entriesHere: Number(tail.getBigUint64(recordAt + 24, true)),
    entries: Number(tail.getBigUint64(recordAt + 32, true)),
    sizeBytes: Number(tail.getBigUint64(recordAt + 40, true)),
    offset: Number(tail.getBigUint64(recordAt + 48, true)),
    endsBefore: tailStartsAt + recordAt,
  };
  const disks = { locator: tail.getUint32(locator + 4, true), total: tail.getUint32(locator + 16, true) };
  return onOneDisk(directory) && disks.locator === 0 && disks.total <= 1 ? directory : "singleDisk";
}

type Disks = {
  readonly disk: number;
  readonly directoryDisk: number;
  readonly entriesHere: number;
  readonly entries: number;
};

const onOneDisk = ({ disk, directoryDisk, entriesHere, entries }: Disks): boolean =>
  disk === 0 && directoryDisk === 0 && entriesHere === entries;

function judgeDirectory({ entries, offset, sizeBytes, endsBefore }: Directory, file: FileEnds): ZipVerdict {
  // A zip cut off where a zip inside it ends has a whole end record, but one that counts from elsewhere.
  if (offset + sizeBytes !== endsBefore) return refused("directoryInPlace");
  if (entries === 0) return endsBefore === 0 ? { ok: true, entries } : refused("countsItsEntries");
  if (entries * directoryEntryBytes > sizeBytes) return refused("directoryHoldsEntries");
  const inTail = offset - (file.sizeBytes - file.tail.byteLength);
  // A directory longer than the tail begins where we have not looked; its place has been judged by its end.
  if (inTail >= 0 && !hasSignature(view(file.tail), inTail, signatures.directoryEntry))
    return refused("directoryInPlace");
  return { ok: true, entries };
}

const messages: Readonly<Record<ZipRule, string>> = {
  empty: "The file is empty.",
  startsWithAnEntry: "The file does not start as a zip does.",
  endOfDirectoryPresent: "The file does not end as a zip does: it was cut short, or it is no zip.",
  endsWithTheFile: "The zip ends before or after the file does: bytes were lost or added at its end.",
  singleDisk: "The zip is a part of a set of several; send it as one file.",
  zip64DirectoryPresent: "The zip is too large for its plain directory, and its zip64 directory is missing.",
  countsItsEntries: "The zip's directory counts no file, and yet there are bytes before it.",
  directoryHoldsEntries: "The zip's directory is too short for the files that it counts.",
  directoryInPlace: "The zip's directory is not where the zip says it is: bytes are missing or were added.",
};

const refused = (rule: ZipRule): ZipVerdict => ({ ok: false, rule, message: messages[rule] });

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const hasSignature = (bytes: DataView, at: number, signature: number): boolean =>
  at >= 0 && at + 4 <= bytes.byteLength && bytes.getUint32(at, true) === signature;
