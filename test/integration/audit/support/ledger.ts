import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import canonicalize from "canonicalize";
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";

/** A service of the test's own, small enough to be forged at every place: it chains, seals and signs with the test's own hashing. */

export type Happening = {
  readonly partition: string;
  readonly on: string;
  readonly type: string;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly data: Readonly<Record<string, unknown>>;
};
/** What happened, in the order of time; a checkpoint is sealed where it says `seal`. */
export type History = readonly (Happening | "seal")[];

export type Event = Happening & { readonly seq: number; readonly prevHash: string; readonly hash: string };
export type Sealed = { readonly seq: number; readonly sealedOn: string; readonly checkpoint: string };
export type Leaf = {
  readonly checkpoint: number;
  readonly partition: string;
  readonly seq: number;
  readonly hash: string;
};
export type Exported = {
  readonly events: readonly Event[];
  readonly checkpoints: readonly Sealed[];
  readonly leaves: readonly Leaf[];
  readonly keys: readonly JWK[];
};

export type Signer = {
  readonly jwk: JWK;
  readonly thumbprint: string;
  readonly sign: (claims: object, typ?: string) => Promise<string>;
};

export async function openSigner(kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" };
  return {
    jwk,
    thumbprint: await calculateJwkThumbprint(jwk),
    sign: (claims, typ = "checkpoint+jwt") =>
      new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg: "ES256", kid, typ })
        .sign(privateKey),
  };
}

const sha256 = (...parts: readonly Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
export const form = (value: unknown): string => canonicalize(value) ?? "";
export const hex = (text: string): string => sha256(Buffer.from(text)).toString("hex");
const start = { seq: 0, hash: "0".repeat(64) };

/** RFC 6962, 2.1, as it is written there. */
function rootOf(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (only === undefined) return sha256();
  if (hashes.length === 1) return only;
  let half = 1;
  while (half * 2 < hashes.length) half *= 2;
  return sha256(Uint8Array.of(1), rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)));
}

type Head = { readonly seq: number; readonly hash: string };

export function chained(happening: Happening, before: Head = start): Event {
  const { partition, on, type, actor, data } = happening;
  const event = { partition, on, type, actor, data, seq: before.seq + 1, prevHash: before.hash };
  return { ...event, hash: hex(form(event)) };
}

const sealedOn = (seq: number) => `2026-11-${String(seq).padStart(2, "0")}T00:05:00.000Z`;

/** Lives the history and exports it. `iat` is when the n-th checkpoint says that it was signed. */
export async function live(
  history: History,
  signer: Signer,
  iat: (seq: number) => number = (seq) => Date.parse(sealedOn(seq)) / 1000,
): Promise<Exported> {
  const events: Event[] = [];
  const heads = new Map<string, Head>();
  const checkpoints: Sealed[] = [];
  const leaves: Leaf[] = [];
  const happens = (happening: Happening) => {
    const event = chained(happening, heads.get(happening.partition));
    heads.set(event.partition, event);
    events.push(event);
  };
  for (const step of history) {
    if (step !== "seal") {
      happens(step);
      continue;
    }
    const seq = checkpoints.length + 1;
    const tree = [...heads].map(([partition, head]) => ({ partition, seq: head.seq, hash: head.hash })).sort(byPlace);
    const sums = {
      treeSize: tree.length,
      rootHash: rootOf(tree.map((leaf) => sha256(Uint8Array.of(0), Buffer.from(form(leaf))))).toString("hex"),
      events: tree.reduce((sum, leaf) => sum + leaf.seq, 0),
    };
    const last = checkpoints.at(-1);
    const prevHash = last === undefined ? start.hash : hex(last.checkpoint);
    const claims = { iss: "https://intake.example", iat: iat(seq), jti: `run-${seq}`, sealedOn: sealedOn(seq) };
    const checkpoint = await signer.sign({ ...claims, ...sums, seq, prevHash });
    checkpoints.push({ seq, sealedOn: sealedOn(seq), checkpoint });
    const standing = new Map(leaves.map((leaf) => [leaf.partition, leaf.seq]));
    leaves.push(
      ...tree.filter((leaf) => standing.get(leaf.partition) !== leaf.seq).map((leaf) => ({ checkpoint: seq, ...leaf })),
    );
    happens(told({ seq, ...sums }));
  }
  return { events: events.sort(byPlace), checkpoints, leaves: leaves.sort(byPlace), keys: [signer.jwk] };
}

const told = (data: Happening["data"]): Happening => ({
  partition: "service",
  on: "2026-11-20T00:05:00.000Z",
  type: "checkpoint.sealed",
  actor: { kind: "service", id: "stamp-intake" },
  data,
});

type Placed = { readonly partition: string; readonly seq: number };
export const byPlace = (one: Placed, other: Placed): number =>
  one.partition === other.partition ? one.seq - other.seq : one.partition < other.partition ? -1 : 1;

export const ndjson = (values: readonly unknown[]): string => values.map((value) => `${form(value)}\n`).join("");

/** Writes the four files of an export. */
export async function write(directory: string, { events, checkpoints, leaves, keys }: Exported): Promise<void> {
  await Promise.all([
    writeFile(join(directory, "events.ndjson"), ndjson(events)),
    writeFile(join(directory, "checkpoints.ndjson"), ndjson(checkpoints)),
    writeFile(join(directory, "leaves.ndjson"), ndjson(leaves)),
    writeFile(join(directory, "keys.json"), `${form({ keys })}\n`),
  ]);
}

const stamp = (digit: number) => `stamps/7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a1${digit}`;
const happened = (partition: string, type: string, data: Happening["data"]): Happening => ({
  partition,
  on: "2026-10-31T10:00:00.000Z",
  type,
  actor: { kind: "stamp", id: "a subject" },
  data,
});

/** Three stamps, two cases and the service over four days; nothing happened in some partitions on some days, and some after the last day. */
export const history: History = [
  happened(stamp(1), "stamp.registered", { stampId: stamp(1), generation: 1 }),
  happened(stamp(1), "consent.decided", { decisionId: "d1", state: "enabled", purposes: ["troubleshooting"] }),
  happened(stamp(2), "stamp.registered", { stampId: stamp(2), generation: 1 }),
  happened("cases/2211280040006230", "case.updated", { caseNumber: "2211280040006230", revision: 1 }),
  "seal",
  happened(stamp(1), "bundle.created", { bundleId: "b1", sizeBytes: 4096, name: "Ünïcode – \u2028 \u{1f4e6}" }),
  happened(stamp(3), "stamp.registered", { stampId: stamp(3), generation: 2 }),
  happened("cases/2211280040006231", "case.updated", { caseNumber: "2211280040006231", revision: 1, hash: "x" }),
  "seal",
  "seal",
  happened(stamp(1), "bundle.submitted", {
    bundleId: "b1",
    nested: { hash: "0".repeat(64), 10: 1, 9: [1.5e300, -0.25] },
  }),
  happened(stamp(2), "stamp.updated", { generation: 2 }),
  happened("cases/2211280040006230", "case.closed", { revision: 2 }),
  happened("service", "container.purged", { container: "bundles-20261031", bundles: 3 }),
  "seal",
  happened(stamp(2), "stamp.disabled", { reason: "asked" }),
  happened(stamp(2), "stamp.enabled", { reason: "asked" }),
];
