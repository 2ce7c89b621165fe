import { crc32 } from "node:zlib";

/** Zips byte by byte, to lie where a library would not. Source of the fields: PKWARE APPNOTE 6.3.10, section 4.3. */

export type RawEntry = {
  readonly name: string | Buffer;
  /** As it stands in the file: deflated already where `method` says so. */
  readonly data?: Buffer;
  readonly method?: number;
  readonly flags?: number;
  readonly crc32?: number;
  readonly sizeBytes?: number;
  readonly compressedBytes?: number;
  /** Of another entry's bytes, where it has none of its own. */
  readonly headerOffset?: number;
  /** A Unix mode, as a Unix writes it. */
  readonly mode?: number;
  readonly extra?: Buffer;
};

export type RawEnd = {
  readonly entries?: number;
  readonly directoryOffset?: number;
  readonly directoryBytes?: number;
  readonly comment?: Buffer;
};

const utf8 = 0x800;
const maximum32 = 0xffffffff;

export function rawZip(entries: readonly RawEntry[], end: RawEnd = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const entry of entries) {
    directory.push(directoryEntry(entry, entry.headerOffset ?? position));
    if (entry.headerOffset !== undefined) continue;
    const bytes = Buffer.concat([localHeader(entry), entry.data ?? Buffer.alloc(0)]);
    parts.push(bytes);
    position += bytes.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const last = endRecord(entries.length, position, directoryBytes.length, end);
  return Buffer.concat([...parts, directoryBytes, last]);
}

function said(entry: RawEntry) {
  const data = entry.data ?? Buffer.alloc(0);
  const name = Buffer.from(entry.name);
  return {
    name,
    flags: entry.flags ?? utf8,
    method: entry.method ?? 0,
    crc: entry.crc32 ?? crc32(data),
    compressedBytes: Math.min(entry.compressedBytes ?? data.length, maximum32),
    sizeBytes: Math.min(entry.sizeBytes ?? data.length, maximum32),
  };
}

function localHeader(entry: RawEntry): Buffer {
  const { name, flags, method, crc, compressedBytes, sizeBytes } = said(entry);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(method, 8);
  header.writeUInt32LE(crc, 14);
  header.writeUInt32LE(compressedBytes, 18);
  header.writeUInt32LE(sizeBytes, 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name]);
}

export function directoryEntry(entry: RawEntry, headerOffset: number): Buffer {
  const { name, flags, method, crc, compressedBytes, sizeBytes } = said(entry);
  const { extra = Buffer.alloc(0), mode } = entry;
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(mode === undefined ? 20 : (3 << 8) | 20, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(flags, 8);
  header.writeUInt16LE(method, 10);
  // 3 February 2027.
  header.writeUInt16LE((47 << 9) | (2 << 5) | 3, 14);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(compressedBytes, 20);
  header.writeUInt32LE(sizeBytes, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(((mode ?? 0) << 16) >>> 0, 38);
  header.writeUInt32LE(headerOffset, 42);
  return Buffer.concat([header, name, extra]);
}

/** The end record, with a zip64 one before it where a count or a place needs it. */
export function endRecord(entries: number, offset: number, sizeBytes: number, end: RawEnd = {}): Buffer {
  const { comment = Buffer.alloc(0) } = end;
  const says = {
    entries: end.entries ?? entries,
    offset: end.directoryOffset ?? offset,
    sizeBytes: end.directoryBytes ?? sizeBytes,
  };
  const isLarge = says.entries > 0xffff || says.offset > maximum32;
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(Math.min(says.entries, 0xffff), 8);
  record.writeUInt16LE(Math.min(says.entries, 0xffff), 10);
  record.writeUInt32LE(Math.min(says.sizeBytes, maximum32), 12);
  record.writeUInt32LE(isLarge ? maximum32 : says.offset, 16);
  record.writeUInt16LE(comment.length, 20);
  return Buffer.concat([isLarge ? zip64Records(says, offset + sizeBytes) : Buffer.alloc(0), record, comment]);
}

function zip64Records({ entries, offset, sizeBytes }: Record<"entries" | "offset" | "sizeBytes", number>, at: number) {
  const records = Buffer.alloc(76);
  records.writeUInt32LE(0x06064b50, 0);
  records.writeBigUInt64LE(44n, 4);
  records.writeBigUInt64LE(BigInt(entries), 24);
  records.writeBigUInt64LE(BigInt(entries), 32);
  records.writeBigUInt64LE(BigInt(sizeBytes), 40);
  records.writeBigUInt64LE(BigInt(offset), 48);
  records.writeUInt32LE(0x07064b50, 56);
  records.writeBigUInt64LE(BigInt(at), 64);
  records.writeUInt32LE(1, 72);
  return records;
}

/** Sizes and place of an entry in 64 bits, for one whose own fields say 0xffffffff. */
export function zip64Field(...values: readonly bigint[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(value, 4 + 8 * index);
  return field;
}
