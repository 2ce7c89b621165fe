import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { ZipFile } from "yazl";
import { contentInsideDeflated, entryContent, storedEntry } from "../../../../shared/archive/content.ts";
import { type Inventory, openInventory } from "../../../../shared/archive/inventory.ts";
import type { Source } from "../../../../shared/archive/source.ts";
import { type ListedFile, listedFile } from "../../../../shared/domain/inventory.ts";

export type Content = { readonly name: string; readonly content: Buffer; readonly compress?: boolean };

export async function zipOf(entries: readonly Content[], comment = ""): Promise<Buffer> {
  const zip = new ZipFile();
  for (const { name, content, compress = true } of entries) {
    zip.addBuffer(content, name, { compress, mtime: new Date("2027-02-03T04:05:06Z") });
  }
  zip.end({ forceZip64Format: false, comment });
  return await buffer(zip.outputStream);
}

/** Bytes as a file, and how many of them were read. */
export function counted(bytes: Buffer): Source & { readonly bytesRead: () => number } {
  let bytesRead = 0;
  const read = (offset: number, count: number): Buffer => {
    bytesRead += count;
    return bytes.subarray(offset, offset + count);
  };
  return {
    sizeBytes: bytes.length,
    bytesRead: () => bytesRead,
    read: async (offset, count) => read(offset, count),
    stream: (offset, count) => Readable.from(pieces(read(offset, count)), { objectMode: false }),
  };
}

/** The inventory of a file that passes by in pieces of this size, as verification takes it. */
export async function inventoryOf(
  bytes: Buffer,
  pieceBytes = 1000,
): Promise<Inventory & { readonly list: ListedFile[]; readonly bytesRead: number }> {
  const file = counted(bytes);
  const taking = await openInventory(file);
  let position = 0;
  for (const piece of pieces(bytes, pieceBytes)) {
    await taking.take(position, piece);
    position += piece.length;
  }
  const inventory = await taking.finish();
  return { ...inventory, list: filesIn(inventory), bytesRead: file.bytesRead() };
}

export const filesIn = ({ lines }: Pick<Inventory, "lines">): ListedFile[] =>
  lines
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => listedFile.parse(JSON.parse(line)));

function* pieces(bytes: Buffer, pieceBytes = 700): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield Buffer.from(bytes.subarray(at, at + pieceBytes));
}

/** A file's content as extraction reads it. */
export async function contentOf(
  bundle: Source,
  { zips }: Pick<Inventory, "zips">,
  file: ListedFile,
): Promise<Readable> {
  const zip = file.zip === undefined ? undefined : zips[file.zip];
  if (zip === undefined) return await entryContent(bundle, file);
  return zip.method === 0
    ? await entryContent(await storedEntry(bundle, zip), file)
    : await contentInsideDeflated(bundle, zip, file);
}
