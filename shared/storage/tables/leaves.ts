import * as z from "zod";
import { checkpointLeaf } from "../../domain/checkpoint.ts";
import type { Leaves } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import type { Table } from "./table.ts";

/**
 * Table `leaves`: what each checkpoint saw of a ledger partition that had changed, `<partition>!<seq>!<run>` in one partition, so that they come
 * in the order of the tree. An unchanged partition's leaf of an earlier checkpoint carries over.
 */

const partitionKey = "leaves";
const leafRow = z.object({ seal: z.object({ seq: z.int(), run: z.guid() }), leaf: checkpointLeaf });

const digits = 10;
const keyPrefix = (partition: string) => `${partition.replace("/", "!")}!`;
const rowKey = (partition: string, seq: number, run: string) =>
  `${keyPrefix(partition)}${String(seq).padStart(digits, "0")}!${run}`;
/** Behind every row of the partition. */
const lastKey = (partition: string) => `${keyPrefix(partition)}~`;

export function openLeaves(table: Table): Leaves {
  return {
    put: async (seal, leaf) =>
      void (await table.put(toEntity(partitionKey, rowKey(leaf.partition, seal.seq, seal.run), { seal, leaf }))),
    asOf: async function* (runs, after) {
      let standing: z.infer<typeof checkpointLeaf> | undefined;
      const from = after === undefined ? undefined : lastKey(after);
      const rows = table.scan({ partition: partitionKey, prefix: "", after: from, pageSize: 1000 }, leafRow);
      for await (const { item } of rows) {
        if (runs.get(item.seal.seq) !== item.seal.run) continue;
        if (standing !== undefined && standing.partition !== item.leaf.partition) yield standing;
        standing = item.leaf;
      }
      if (standing !== undefined) yield standing;
    },
  };
}
