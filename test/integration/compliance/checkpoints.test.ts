import { createHash, randomUUID } from "node:crypto";
import canonicalize from "canonicalize";
import { createLocalJWKSet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { toUtcTime } from "../../../shared/api/primitives.ts";
import { mapBounded } from "../../../shared/operations/bounded.ts";
import { readAll } from "../../support/system/world.ts";
import { type Stage, useStages } from "../operations/support/stage.ts";

/** Sealed checkpoints as an auditor reads them over HTTP, checked with the test's own hashing (invariant 10). */

const stages = useStages();

const checkpointShape = z.object({ seq: z.int(), sealedOn: z.string(), checkpoint: z.string() });
const claimsShape = z.object({
  seq: z.int(),
  prevHash: z.string(),
  treeSize: z.int(),
  rootHash: z.string(),
  events: z.int(),
});
const leafShape = z.object({ partition: z.string(), seq: z.int(), hash: z.string() });
const proofShape = z.object({ leaf: leafShape, index: z.int(), path: z.array(z.string()) });
const keysShape = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

const sha256 = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
const hashOf = (leaf: unknown) => sha256(Uint8Array.of(0), Buffer.from(canonicalize(leaf) ?? ""));
const join = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right);

/** RFC 6962, 2.1, as it is written there. */
function rootOf(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (only === undefined) return sha256();
  if (hashes.length === 1) return only;
  let half = 1;
  while (half * 2 < hashes.length) half *= 2;
  return join(rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)));
}

/** RFC 9162, 2.1.3.2. */
function rootByProof(hash: Buffer, index: number, size: number, path: readonly string[]): Buffer {
  let [at, last, root] = [index, size - 1, hash];
  for (const step of path.map((each) => Buffer.from(each, "hex"))) {
    if (at % 2 === 1 || at === last) {
      root = join(step, root);
      while (at % 2 === 0 && at !== 0) [at, last] = [at >> 1, last >> 1];
    } else root = join(root, step);
    [at, last] = [at >> 1, last >> 1];
  }
  return root;
}

async function read(stage: Stage) {
  const auditor = await stage.person("A");
  const keys = createLocalJWKSet(keysShape.parse((await stage.anonymous("GET", "/.well-known/jwks.json")).json));
  const all = z.array(checkpointShape).parse(await readAll(auditor.call, "/compliance/checkpoints", { top: "2" }));
  const claims = await Promise.all(
    all.map(async ({ checkpoint }) =>
      claimsShape.parse((await jwtVerify(checkpoint, keys, { typ: "checkpoint+jwt" })).payload),
    ),
  );
  const leaves = async (seq: number) =>
    z.array(leafShape).parse(await readAll(auditor.call, `/compliance/checkpoints/${seq}/leaves`, { top: "2" }));
  const proof = async (seq: number, partition: string) =>
    proofShape.parse(
      (await auditor.call("GET", `/compliance/checkpoints/${seq}/proof`, undefined, { query: { partition } })).json,
    );
  return { all, claims, leaves, proof };
}

describe("[invariant 10] sealed checkpoints", () => {
  test("name every partition's head, each leaf proven, chained one to the next", async () => {
    const stage = stages();
    for (let count = 0; count < 4; count += 1) await stage.registeredStamp();
    await stage.app.timers.sealCheckpoint();
    await stage.registeredStamp();
    await stage.app.timers.sealCheckpoint();
    await stage.app.timers.sealCheckpoint();
    const { all, claims, leaves, proof } = await read(stage);

    expect(claims.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(claims.map(({ treeSize }) => treeSize)).toEqual([4, 6, 6]);
    expect(claims.map(({ prevHash }) => prevHash)).toEqual([
      "0".repeat(64),
      ...all.slice(0, 2).map(({ checkpoint }) => createHash("sha256").update(checkpoint).digest("hex")),
    ]);
    for (const { seq, rootHash, treeSize, events } of claims) {
      const of = await leaves(seq);
      expect(of.map(({ partition }) => partition)).toEqual(of.map(({ partition }) => partition).sort());
      expect(rootOf(of.map(hashOf)).toString("hex")).toBe(rootHash);
      expect(of.reduce((sum, leaf) => sum + leaf.seq, 0)).toBe(events);
      for (const { partition } of of) {
        const { leaf, index, path } = await proof(seq, partition);
        expect(rootByProof(hashOf(leaf), index, treeSize, path).toString("hex")).toBe(rootHash);
      }
    }
  });

  test("are listed leaf by leaf at a cost that follows the leaves, however many pages they are cut into", async () => {
    const stage = stages();
    const seal = { seq: 1, run: randomUUID() };
    const names = Array.from({ length: 2500 }, () => `stamps/${randomUUID()}`);
    await mapBounded(names, 32, (partition) =>
      stage.app.world.leaves.put(seal, { partition, seq: 1, hash: "0".repeat(64) }),
    );
    // A checkpoint that an earlier run sealed is one whose leaves were there before it.
    const { service, clock } = stage.app.world;
    const checkpoint = { ...seal, sealedOn: toUtcTime(clock.now()), checkpoint: "a.b.c" };
    await service.commit(await service.head(), { events: [], checkpoint }, clock.now());
    const auditor = await stage.person("A");
    const costOf = async (top: number) => {
      const { result, calls } = await stage.faults.watching(() =>
        readAll(auditor.call, "/compliance/checkpoints/1/leaves", { top: String(top) }),
      );
      const partitions = z
        .array(leafShape)
        .parse(result)
        .map(({ partition }) => partition);
      expect(partitions).toEqual(names.toSorted());
      return calls.filter(({ path }) => path.includes("leaves")).length;
    };
    const pages = 25;
    const costs = [await costOf(1000), await costOf(2500 / pages)];
    expect(costs[0]).toBeLessThanOrEqual(5);
    // Were each page to begin anew, there would be 45.
    expect(costs[1]).toBeLessThanOrEqual(pages + 1);
  });

  test("of two runs at once one seals, and its leaves are its own", async () => {
    const stage = stages();
    await stage.registeredStamp();
    await Promise.all([
      stage.app.timers.sealCheckpoint(),
      stage.app.timers.sealCheckpoint(),
      stage.app.timers.sealCheckpoint(),
    ]);
    const { claims, leaves } = await read(stage);
    for (const { seq, rootHash } of claims)
      expect(rootOf((await leaves(seq)).map(hashOf)).toString("hex")).toBe(rootHash);
    expect(new Set(claims.map(({ seq }) => seq)).size).toBe(claims.length);
  });

  test("are carried by consent receipts", async () => {
    const stage = stages();
    const stamp = await stage.registeredStamp();
    await stage.app.timers.sealCheckpoint();
    const consent = z.object({ receipt: z.string() }).parse(await stamp.enableConsent());
    const { all } = await read(stage);
    const payload = z
      .object({ checkpoint: z.string() })
      .parse(JSON.parse(Buffer.from(consent.receipt.split(".")[1] ?? "", "base64url").toString()));
    expect(payload.checkpoint).toBe(all.at(-1)?.checkpoint);
  });
});
