import { join } from "node:path";
import * as z from "zod";
import { readJson } from "./canonical.ts";
import type { Claims } from "./checkpoints.ts";
import { texts } from "./lines.ts";
import { leafHash, openTree } from "./merkle.ts";
import { type Complain, placeOf } from "./problem.ts";

/**
 * What each checkpoint saw of each partition. The file holds a leaf where it changed, by partition and checkpoint; an unchanged one carries over.
 * So all trees grow side by side while the events pass in the same order, and memory follows the checkpoints, not the partitions.
 */

export const leavesFile = "leaves.ndjson";

const leafLine = z.object({
  checkpoint: z.int().min(1),
  partition: z.string().min(1),
  seq: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
type LeafLine = z.infer<typeof leafLine>;
export type Leaf = LeafLine & { readonly number: number };
export type PartitionLeaves = { readonly partition: string; readonly leaves: readonly Leaf[] };

export const placeOfLeaf = ({ number, partition, seq }: Leaf): string => placeOf(leavesFile, number, partition, seq);

/** RFC 8785 forms: of so few names of known order `JSON.stringify` makes them. */
const lineOf = ({ checkpoint, hash, partition, seq }: LeafLine): string =>
  JSON.stringify({ checkpoint, hash, partition, seq });
const formOf = ({ hash, partition, seq }: LeafLine): string => JSON.stringify({ hash, partition, seq });

/** Partition after partition. */
export function* readLeaves(directory: string, complain: Complain): Generator<PartitionLeaves> {
  let group: { partition: string; leaves: Leaf[] } | undefined;
  for (const { text, number } of texts(join(directory, leavesFile), complain)) {
    const leaf = readLeaf(text, number, complain);
    if (leaf === undefined) continue;
    const wrong = (message: string) => complain({ code: "OutOfOrder", place: placeOfLeaf(leaf), message });
    if (group?.partition !== leaf.partition) {
      if (group !== undefined) yield group;
      if (group !== undefined && leaf.partition < group.partition) wrong(`stands after those of ${group.partition}`);
      group = { partition: leaf.partition, leaves: [] };
    }
    const last = group.leaves.at(-1);
    if (last !== undefined && (leaf.checkpoint <= last.checkpoint || leaf.seq <= last.seq))
      wrong(`of checkpoint ${leaf.checkpoint} follows seq ${last.seq} of checkpoint ${last.checkpoint}`);
    group.leaves.push(leaf);
  }
  if (group !== undefined) yield group;
}

/** Names without what must be escaped, and whole numbers of one form: a line that matches is canonical as it stands. */
const plainLeaf =
  /^\{"checkpoint":([1-9]\d{0,14}),"hash":"([0-9a-f]{64})","partition":"([ !#-[\]-~]+)","seq":([1-9]\d{0,14})\}$/;

function readLeaf(text: string, number: number, complain: Complain): Leaf | undefined {
  const [, checkpoint, hash, partition, seq] = plainLeaf.exec(text) ?? [];
  if (hash !== undefined && partition !== undefined)
    return { checkpoint: Number(checkpoint), hash, partition, seq: Number(seq), number };
  const leaf = leafLine.safeParse(readJson(text)).data;
  const place = placeOf(leavesFile, number, leaf?.partition, leaf?.seq);
  if (leaf === undefined) complain({ code: "Malformed", place, message: "is no leaf of a checkpoint" });
  else if (text !== lineOf(leaf))
    complain({ code: "NotCanonical", place, message: "is not the RFC 8785 form of what it says" });
  return leaf === undefined ? undefined : { ...leaf, number };
}

type Sealed = { readonly place: string; readonly claims: Claims };

/** Makes every checkpoint's tree again. */
export function openTrees(checkpoints: ReadonlyMap<number, Sealed>, complain: Complain) {
  const trees = [...checkpoints].map(([seq, sealed]) => ({ seq, sealed, tree: openTree(), events: 0 }));
  return {
    /** Takes partitions in their order. */
    add: ({ leaves }: PartitionLeaves): void => {
      const hashed = leaves.map((leaf) => ({
        checkpoint: leaf.checkpoint,
        seq: leaf.seq,
        digest: leafHash(formOf(leaf)),
      }));
      for (const leaf of leaves) if (!checkpoints.has(leaf.checkpoint)) complain(ofNoCheckpoint(leaf));
      let next = 0;
      for (const each of trees) {
        while ((hashed[next]?.checkpoint ?? Number.POSITIVE_INFINITY) <= each.seq) next += 1;
        const standing = hashed[next - 1];
        if (standing === undefined) continue;
        each.tree.add(standing.digest);
        each.events += standing.seq;
      }
    },
    /** Compares what was made with what the checkpoints claim; gives those that hold. */
    settle: (): Set<number> => {
      const holding = new Set<number>();
      for (const { seq, sealed, tree, events } of trees) {
        const { place, claims } = sealed;
        const made = { treeSize: tree.size(), rootHash: tree.root(), events };
        const differs = (["treeSize", "events", "rootHash"] as const).filter((name) => made[name] !== claims[name]);
        for (const name of differs)
          complain({
            code: "WrongTree",
            place,
            message: `says ${name} ${claims[name]}, and the export makes ${made[name]}`,
          });
        if (differs.length === 0) holding.add(seq);
      }
      return holding;
    },
  };
}

const ofNoCheckpoint = (leaf: Leaf) => ({
  code: "NoCheckpoint",
  place: placeOfLeaf(leaf),
  message: `is of checkpoint ${leaf.checkpoint}, which is not there`,
});
