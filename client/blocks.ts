/**
 * How a file is cut into blocks, and what they are called. A block's id tells its place, its size and its MD5, so the
 * list of blocks that storage already holds is all that a restart needs to know: an id in that list is this content.
 */

/** A run of the file's bytes. */
export type Stretch = { readonly offset: number; readonly sizeBytes: number };

export type Block = Stretch & {
  readonly id: string;
  /** In base64, as `Content-MD5` takes it. */
  readonly md5: string;
  readonly bytes: Uint8Array;
};

/** A stretch of the file to read next; with the ids of storage's blocks of just that place and size, if it has any. */
export type PlannedStretch = Stretch & { readonly stagedIds: readonly string[] };

/** Most blocks that one blob can have (Azure Blob Storage, scalability targets). */
const mostBlocks = 50_000;

const usualSmallestBytes = 256 * 1024;

/** Between which sizes a file's blocks are chosen: `wanted` is the largest, unless so large a file needs larger ones. */
export function blockSizeRange(fileSizeBytes: number, wanted: number): { smallestBytes: number; largestBytes: number } {
  // Half of what a blob can have: what a restart fills in between the blocks that are there may be smaller.
  const neededBytes = Math.ceil(fileSizeBytes / (mostBlocks / 2));
  const smallestBytes = Math.max(neededBytes, Math.min(usualSmallestBytes, wanted));
  return { smallestBytes, largestBytes: Math.max(wanted, smallestBytes) };
}

/**
 * The file in order, around the blocks that storage holds from an earlier call; what lies between is cut to the size that
 * `nextSize` gives each time. Ids that no client of this kind made, and blocks that overlap, are left out.
 */
export function* stretchesOf(
  fileSizeBytes: number,
  stagedIds: Iterable<string>,
  nextSize: () => number,
): Generator<PlannedStretch> {
  const staged = stagedStretches(stagedIds, fileSizeBytes);
  for (let offset = 0, at = 0; offset < fileSizeBytes; ) {
    while ((staged[at]?.offset ?? fileSizeBytes) < offset) at += 1;
    const next = staged[at];
    const here = next?.offset === offset ? next : undefined;
    const gapBytes = (next?.offset ?? fileSizeBytes) - offset;
    const stretch = here ?? { offset, sizeBytes: Math.min(gapBytes, nextSize()), stagedIds: [] };
    yield stretch;
    offset += stretch.sizeBytes;
  }
}

/** The stretches that are staged, by place; of those that begin at one place, the largest. */
function stagedStretches(ids: Iterable<string>, fileSizeBytes: number): PlannedStretch[] {
  const found = new Map<number, PlannedStretch>();
  for (const id of ids) {
    const stretch = stretchOfId(id);
    if (stretch === undefined || stretch.offset + stretch.sizeBytes > fileSizeBytes) continue;
    const other = found.get(stretch.offset);
    if (other === undefined || other.sizeBytes < stretch.sizeBytes)
      found.set(stretch.offset, { ...stretch, stagedIds: [id] });
    else if (other.sizeBytes === stretch.sizeBytes)
      found.set(stretch.offset, { ...other, stagedIds: [...other.stagedIds, id] });
  }
  return [...found.values()].sort((one, other) => one.offset - other.offset);
}

/** The base64 id of a block. Within a blob all ids must have one length (Put Block), so the numbers are padded. */
export function blockId({ offset, sizeBytes }: Stretch, md5: Buffer): string {
  const [place, size] = [String(offset).padStart(15, "0"), String(sizeBytes).padStart(10, "0")];
  return Buffer.from(`${place}-${size}-${md5.toString("hex")}`).toString("base64");
}

function stretchOfId(id: string): Stretch | undefined {
  const [, place, size] = /^(\d{15})-(\d{10})-[0-9a-f]{32}$/.exec(Buffer.from(id, "base64").toString("latin1")) ?? [];
  const stretch = { offset: Number(place), sizeBytes: Number(size) };
  return stretch.sizeBytes > 0 ? stretch : undefined;
}

/** The body of Put Block List that makes the blob of these blocks. */
export const blockListXml = (ids: readonly string[]): string =>
  `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join("")}</BlockList>`;
