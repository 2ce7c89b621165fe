/**
 * How a file is cut into blocks, and what they are called. A block's id tells its place, its size and its MD5, so the
 * list of blocks that storage already holds is all that a restart needs to know: an id in that list is this content.
 */

export type Block = { readonly index: number; readonly offset: number; readonly sizeBytes: number };

/** Most blocks that one blob can have (Azure Blob Storage, scalability targets). */
const mostBlocks = 50_000;

const defaultBlockSizeBytes = 8 * 1024 * 1024;

/** The block size to use: what was asked for, raised where the file would need more blocks than a blob can have. */
export const blockSizeFor = (fileSizeBytes: number, wanted: number = defaultBlockSizeBytes): number =>
  Math.max(wanted, Math.ceil(fileSizeBytes / mostBlocks));

/** The blocks of a file, in order; the last may be shorter. */
export function* blocksOf(fileSizeBytes: number, blockSizeBytes: number): Generator<Block> {
  for (let index = 0, offset = 0; offset < fileSizeBytes; index += 1, offset += blockSizeBytes) {
    yield { index, offset, sizeBytes: Math.min(blockSizeBytes, fileSizeBytes - offset) };
  }
}

/** The base64 id of a block. Within a blob all ids must have one length (Put Block), so the numbers are padded. */
export function blockId(block: Block, md5: Buffer): string {
  const place = String(block.index).padStart(6, "0");
  const size = String(block.sizeBytes).padStart(10, "0");
  return Buffer.from(`${place}-${size}-${md5.toString("hex")}`).toString("base64");
}

/** The body of Put Block List that makes the blob of these blocks. */
export const blockListXml = (ids: readonly string[]): string =>
  `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join("")}</BlockList>`;
