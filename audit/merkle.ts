import { hash } from "node:crypto";

/** Merkle tree hashing of RFC 6962, section 2.1, over leaves that come one after another; memory follows the logarithm of their number. */

const sha256 = (...parts: readonly Uint8Array[]): Buffer => hash("sha256", Buffer.concat(parts), "buffer");

export const leafHash = (leaf: string): Buffer => sha256(Uint8Array.of(0), Buffer.from(leaf, "utf8"));
const nodePrefix = Uint8Array.of(1);

export type Tree = { readonly add: (leaf: Buffer) => void; readonly size: () => number; readonly root: () => string };

export function openTree(): Tree {
  /** Roots of whole subtrees, the largest first: one for each bit of the size. */
  const whole: Buffer[] = [];
  let size = 0;
  return {
    add: (leaf) => {
      let joined = leaf;
      for (let bits = size; bits % 2 === 1; bits = Math.floor(bits / 2)) {
        joined = sha256(nodePrefix, whole.pop() ?? Buffer.alloc(0), joined);
      }
      whole.push(joined);
      size += 1;
    },
    size: () => size,
    root: () => {
      const last = whole.at(-1);
      if (last === undefined) return sha256().toString("hex");
      return whole
        .slice(0, -1)
        .reduceRight((right, left) => sha256(nodePrefix, left, right), last)
        .toString("hex");
    },
  };
}
