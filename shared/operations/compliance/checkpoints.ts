import type { Checkpoint, InclusionProof } from "../../api/compliance.ts";
import { type CheckpointLeaf, leafForm } from "../../domain/checkpoint.ts";
import { auditPath, leafHash } from "../../domain/merkle.ts";
import { DomainError } from "../../errors.ts";
import { take } from "../bounded.ts";
import type { AuditWorld } from "../needs.ts";
import { type PageRequest, type PageResult, pageResult } from "../paging.ts";

type Needs = Pick<AuditWorld, "checkpoints" | "leaves">;

/** Sealed checkpoints, oldest first. */
export async function listCheckpoints(world: Needs, page: PageRequest): Promise<PageResult<Checkpoint>> {
  const { taken, more } = await take(world.checkpoints.list(page.after), page.top);
  const shown = taken.map(({ item: { seq, sealedOn, checkpoint } }) => ({ seq, sealedOn, checkpoint }));
  return pageResult(shown, taken, more);
}

/** The leaves of a checkpoint's tree, in the order of the tree; a page begins where the one before it ended. */
export async function listLeaves(world: Needs, seq: number, page: PageRequest): Promise<PageResult<CheckpointLeaf>> {
  const { taken, more } = await take(await leavesOf(world, seq, page.after), page.top);
  return { value: taken, next: more ? taken.at(-1)?.partition : undefined };
}

/** That a partition's head is in a checkpoint's tree (RFC 6962, section 2.1.1); hashes are lower-case hex, from the leaf upwards. */
export async function proveInclusion(world: Needs, seq: number, partition: string): Promise<InclusionProof> {
  const hashes: Buffer[] = [];
  let found: { leaf: CheckpointLeaf; index: number } | undefined;
  for await (const leaf of await leavesOf(world, seq)) {
    if (leaf.partition === partition) found = { leaf, index: hashes.length };
    hashes.push(leafHash(leafForm(leaf)));
  }
  if (found === undefined) {
    throw new DomainError(
      "NotFound",
      "That partition is not in the checkpoint: it has no event from before it was sealed.",
    );
  }
  return { ...found, path: auditPath(hashes, found.index).map((hash) => hash.toString("hex")) };
}

async function leavesOf(world: Needs, seq: number, after?: string): Promise<AsyncIterable<CheckpointLeaf>> {
  const runs = await publishedRuns(world, seq);
  if (!runs.has(seq))
    throw new DomainError("NotFound", "There is no such checkpoint. GET /compliance/checkpoints lists them.");
  return world.leaves.asOf(runs, after);
}

/** The newest checkpoint for a paper to carry, so that whoever holds the paper holds an anchor too; nothing before the first. */
export async function newestAnchor(world: Pick<AuditWorld, "checkpoints">): Promise<{ checkpoint?: string }> {
  const newest = await world.checkpoints.newest();
  return newest === undefined ? {} : { checkpoint: newest.checkpoint };
}

/** Which run sealed each checkpoint up to `seq`: one a day, so they fit in memory. */
export async function publishedRuns(world: Pick<AuditWorld, "checkpoints">, seq: number): Promise<Map<number, string>> {
  const runs = new Map<number, string>();
  for await (const { item } of world.checkpoints.list()) {
    if (item.seq > seq) break;
    runs.set(item.seq, item.run);
  }
  return runs;
}
