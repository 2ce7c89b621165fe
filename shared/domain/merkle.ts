import { createHash } from "node:crypto";

/** Merkle tree hashing of RFC 6962, section 2.1, over leaves that come one after another; memory follows the logarithm of their number. */

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

export const leafHash = (leaf: string): Buffer => sha256(leafPrefix, Buffer.from(leaf, "utf8"));
const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(nodePrefix, left, right);

/** A whole subtree: its size is a power of two. */
type Subtree = { readonly size: number; readonly hash: Buffer };

/** Takes leaves in order and knows the root of those it has. */
export type MerkleTree = {
  readonly add: (leaf: string) => void;
  readonly size: () => number;
  readonly root: () => Buffer;
};

export function merkleTree(): MerkleTree {
  const subtrees: Subtree[] = [];
  let count = 0;

  function push(tree: Subtree): void {
    const last = subtrees.at(-1);
    if (last === undefined || last.size !== tree.size) {
      subtrees.push(tree);
      return;
    }
    subtrees.pop();
    push({ size: last.size * 2, hash: nodeHash(last.hash, tree.hash) });
  }

  return {
    add: (leaf) => {
      count += 1;
      push({ size: 1, hash: leafHash(leaf) });
    },
    size: () => count,
    root: () => rootOf(subtrees.map((tree) => tree.hash)),
  };
}

/** The subtrees from the left, joined from the right. The root of no leaves is the hash of nothing. */
function rootOf(hashes: readonly Buffer[]): Buffer {
  const last = hashes.at(-1);
  if (last === undefined) return sha256();
  return hashes.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
}

/** The audit path of the leaf at `index` (RFC 6962, section 2.1.1), from the leaf upwards; `hashes` are the leaves' hashes. */
export function auditPath(hashes: readonly Buffer[], index: number): Buffer[] {
  if (hashes.length <= 1) return [];
  const half = largestPowerBelow(hashes.length);
  const [left, right] = [hashes.slice(0, half), hashes.slice(half)];
  return index < half
    ? [...auditPath(left, index), treeHash(right)]
    : [...auditPath(right, index - half), treeHash(left)];
}

function treeHash(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (hashes.length === 0 || only === undefined) return sha256();
  if (hashes.length === 1) return only;
  const half = largestPowerBelow(hashes.length);
  return nodeHash(treeHash(hashes.slice(0, half)), treeHash(hashes.slice(half)));
}

/** The largest power of two smaller than `count`. */
const largestPowerBelow = (count: number): number => 2 ** Math.floor(Math.log2(count - 1));
