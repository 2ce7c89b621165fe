import { readFile } from "node:fs/promises";
import { readJson } from "./canonical.ts";
import { type Checkpoint, type Key, readCheckpoints, readClaims, readKeys } from "./checkpoints.ts";
import { readLedger, type Sealing } from "./ledger.ts";
import { unreadable } from "./lines.ts";
import type { Complain } from "./problem.ts";

/**
 * The offline verifier: whether an export holds together, and whether it is what the auditor's key signed and what the auditor saw before.
 * Needs the folder and nothing else. Shares no code with the service; memory follows the number of checkpoints.
 */

export type Anchors = {
  /** RFC 7638 thumbprints of the keys that may have signed. */
  readonly trusted: readonly string[];
  /** A file that holds a checkpoint's JWS, or a receipt's or certificate's, which carries one; or lines of `checkpoints.ndjson`, the last of which counts. */
  readonly since: string | undefined;
};

export type Summary = {
  readonly events: number;
  readonly partitions: number;
  readonly checkpoints: readonly Checkpoint[];
  readonly keys: readonly Key[];
  /** Events that the newest checkpoint covers. */
  readonly sealedEvents: number;
  /** The checkpoint that the auditor held. */
  readonly held: number | undefined;
};

/** Checks all of it; each problem goes to `complain` as it is found. */
export async function verifyExport(
  directory: string,
  { trusted, since }: Anchors,
  now: Date,
  complain: Complain,
): Promise<Summary> {
  const keys = await readKeys(directory, complain);
  const checkpoints = await readCheckpoints(directory, { keys, trusted, now }, complain);
  const { events, partitions, holding, sealings } = readLedger(directory, checkpoints, complain);
  compareSealings(checkpoints, sealings, complain);
  if (trusted.length > 0 && checkpoints.size === 0)
    complain({
      code: "NothingSigned",
      place: "--trust",
      message: "the export has no checkpoint: no key signed any of it",
    });
  const held = since === undefined ? undefined : await findHeld(since, checkpoints, holding, complain);
  const all = [...checkpoints.values()];
  const signers = new Set(all.map(({ key }) => key));
  return {
    events,
    partitions,
    checkpoints: all,
    keys: [...keys.values()].filter((key) => signers.has(key)),
    sealedEvents: all.at(-1)?.claims.events ?? 0,
    held,
  };
}

/** Each checkpoint is an event too, in the same transaction. Newer ones may have been sealed while the export was made. */
function compareSealings(
  checkpoints: ReadonlyMap<number, Checkpoint>,
  sealings: ReadonlyMap<number, Sealing>,
  complain: Complain,
): void {
  const newest = Math.max(0, ...checkpoints.keys());
  for (const [seq, { claims, place }] of checkpoints) {
    const told = sealings.get(seq);
    const same = (["treeSize", "rootHash", "events"] as const).every((name) => told?.[name] === claims[name]);
    if (!same)
      complain({ code: "NotInLedger", place, message: "no checkpoint.sealed event of the ledger tells of it" });
  }
  for (const seq of sealings.keys()) {
    if (seq > newest || checkpoints.has(seq)) continue;
    const message = "is told of by the ledger and is not among the checkpoints";
    complain({ code: "CheckpointMissing", place: `checkpoint ${seq}`, message });
  }
}

/** The seq of the held checkpoint, where the export has it, byte for byte. */
async function findHeld(
  file: string,
  checkpoints: ReadonlyMap<number, Checkpoint>,
  holding: ReadonlySet<number>,
  complain: Complain,
): Promise<number | undefined> {
  const wrong = (code: string, message: string) => complain({ code, place: file, message });
  const text = await readFile(file, "utf8").catch((error: unknown) => void complain(unreadable(file, error)));
  if (text === undefined) return undefined;
  const jws = carried(kept(text.trim()));
  const seq = readClaims(jws)?.seq;
  if (seq === undefined) {
    wrong("NoCheckpoint", "holds no checkpoint's JWS");
    return undefined;
  }
  const newest = Math.max(0, ...checkpoints.keys());
  const found = checkpoints.get(seq);
  if (seq > newest)
    wrong("HeldIsNewer", `is checkpoint ${seq}, and the export ends with ${newest}: what came between is cut off`);
  else if (found === undefined) wrong("HeldMissing", `is checkpoint ${seq}, which the export does not have`);
  else if (found.jws !== jws)
    wrong("HeldDiffers", `is another checkpoint ${seq} than that of the export (${found.place})`);
  else if (!holding.has(seq))
    wrong("HeldNotCovered", `is checkpoint ${seq}, and not all that it covers is there as it was`);
  return seq;
}

/** The paper in what was kept: by itself, or as a line of `checkpoints.ndjson` or an answer of the service has it. */
function kept(text: string): string {
  const value = readJson(text) ?? readJson(text.split("\n").at(-1) ?? "");
  const { checkpoint, receipt, certificate } = Object(value);
  return [checkpoint, receipt, certificate].find((paper) => typeof paper === "string") ?? text;
}

/** A receipt or a deletion certificate carries the newest checkpoint of its day. */
function carried(jws: string): string {
  const payload = readJson(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString("utf8"));
  const inner: unknown = Object(payload).checkpoint;
  return typeof inner === "string" ? inner : jws;
}
