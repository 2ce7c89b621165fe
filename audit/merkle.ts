import { hash } from "node:crypto";

/** Merkle tree hashing of RFC 6962, section 2.1, over leaves that come one after another; memory follows the logarithm of their number. */

/** The 32 bytes of a SHA-256 as Latin-1 characters: a string costs less to make than a buffer, and a year of checkpoints makes millions. */
export type Digest = string;

export const leafHash = (leaf: string): Digest => hash("sha256", `\u0000${leaf}`, "binary");

const [digestBytes, nodePrefix] = [32, 1];
const node = Buffer.alloc(1 + 2 * digestBytes, nodePrefix);

function nodeHash(left: Digest, right: Digest): Digest {
  node.write(left, 1, "latin1");
  node.write(right, 1 + digestBytes, "latin1");
  return hash("sha256", node, "binary");
}

/** `root` is lower-case hex. */
export type Tree = { readonly add: (leaf: Digest) => void; readonly size: () => number; readonly root: () => string };

export function openTree(): Tree {
  /** Roots of whole subtrees, the largest first: one for each bit of the size. */
  const whole: Digest[] = [];
  let size = 0;
  return {
    add: (leaf) => {
      let joined = leaf;
      for (let bits = size; bits % 2 === 1; bits = Math.floor(bits / 2)) joined = nodeHash(whole.pop() ?? "", joined);
      whole.push(joined);
      size += 1;
    },
    size: () => size,
    root: () => {
      const last = whole.at(-1);
      if (last === undefined) return hash("sha256", "", "hex");
      const root = whole.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
      return Buffer.from(root, "latin1").toString("hex");
    },
  };
}
