import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { BlockBlobClient } from "@azure/storage-blob";
import { blockId, stretchesOf } from "../../client/blocks.ts";
import { timed } from "../rounds.ts";
import type { Blocks } from "./client.ts";

/** The same blocks, as many at a time, each with its Content-MD5, by the Azure SDK alone: no SHA-256, no service. */
export async function uploadByStagedBlocks(
  blob: BlockBlobClient,
  path: string,
  { blockSizeBytes, concurrency }: Blocks,
): Promise<number> {
  return await timed(async () => {
    await using file = await open(path);
    const { size } = await file.stat();
    const blocks = stretchesOf(size, [], () => blockSizeBytes);
    const ids: string[] = [];
    const lane = async (): Promise<void> => {
      const buffer = Buffer.allocUnsafeSlow(blockSizeBytes);
      for (const block of blocks) {
        await file.read(buffer, 0, block.sizeBytes, block.offset);
        const bytes = buffer.subarray(0, block.sizeBytes);
        const md5 = createHash("md5").update(bytes).digest();
        const id = blockId(block, md5);
        ids[block.offset / blockSizeBytes] = id;
        await blob.stageBlock(id, bytes, bytes.length, { transactionalContentMD5: md5 });
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    await blob.commitBlockList(ids);
  });
}
