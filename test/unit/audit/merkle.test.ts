import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { leafHash, openTree } from "../../../audit/merkle.ts";

/** Against RFC 6962, section 2.1, as it is written there. */

const sha256 = (...parts: readonly Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();

function rootOf(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (only === undefined) return sha256();
  if (hashes.length === 1) return only;
  let half = 1;
  while (half * 2 < hashes.length) half *= 2;
  return sha256(Uint8Array.of(1), rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)));
}

it("makes the root of any number of leaves", () => {
  const tree = openTree();
  const hashes: Buffer[] = [];
  for (let count = 0; count < 130; count += 1) {
    expect(tree.size()).toBe(count);
    expect(tree.root()).toBe(rootOf(hashes).toString("hex"));
    hashes.push(sha256(Uint8Array.of(0), Buffer.from(`leaf ${count}`)));
    tree.add(leafHash(`leaf ${count}`));
  }
});

it("hashes leaves apart from nodes", () => {
  expect(Buffer.from(leafHash(""), "latin1").toString("hex")).toBe(
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  );
});
