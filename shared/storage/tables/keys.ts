import { createHash } from "node:crypto";

/** Parts of row keys that several tables share. */

const latest = 9_999_999_999_999;

/** A time that sorts newest first. */
export const newestFirst = (time: string | Date): string => String(latest - new Date(time).getTime()).padStart(13, "0");

/** How many partitions each work index is spread over. */
export const shardCount = 16;

/** Which shard the work of a stamp or a case is in: two digits. */
export const shardOf = (owner: string): string =>
  shardName((createHash("sha256").update(owner).digest()[0] ?? 0) % shardCount);

export const shards: readonly string[] = Array.from({ length: shardCount }, (_, index) => shardName(index));

function shardName(index: number): string {
  return String(index).padStart(2, "0");
}
