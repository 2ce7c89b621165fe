import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import * as z from "zod";
import { utcTime } from "../api/primitives.ts";

/** A sealed checkpoint: a signed statement over every partition's head, chained to the one before (`DESIGN.md`, invariant 10). */

/** A partition as a checkpoint saw it. */
export const checkpointLeaf = z.object({ partition: z.string(), seq: z.int().min(1), hash: z.string() });
export type CheckpointLeaf = z.infer<typeof checkpointLeaf>;

export const checkpointRecord = z.object({
  seq: z.int().min(1),
  sealedOn: utcTime,
  /** Compact JWS, typ checkpoint+jwt. */
  checkpoint: z.string(),
  /** Of the run that sealed it: leaves that another run wrote for the same seq do not count. */
  run: z.guid(),
});
export type CheckpointRecord = z.infer<typeof checkpointRecord>;

/** The leaf's bytes in the tree: the RFC 8785 form. */
export function leafForm({ partition, seq, hash }: CheckpointLeaf): string {
  const form = canonicalize({ partition, seq, hash });
  if (form === undefined) throw new TypeError("A leaf must be JSON");
  return form;
}

/** What the next checkpoint names as its `prevHash`: the lower-case hex SHA-256 of this one's JWS; 64 zeros before the first. */
export const checkpointHash = (previous: CheckpointRecord | undefined): string =>
  previous === undefined ? "0".repeat(64) : createHash("sha256").update(previous.checkpoint, "ascii").digest("hex");
