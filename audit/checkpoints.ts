import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWK } from "jose";
import * as z from "zod";
import { isCanonical, readJson, sha256Hex } from "./canonical.ts";
import { texts, unreadable } from "./lines.ts";
import { type Complain, placeOf } from "./problem.ts";

/** The sealed checkpoints of an export: signatures, and the chain that they make (`API.md`, Checkpoint and signed papers). */

export const keysFile = "keys.json";
export const checkpointsFile = "checkpoints.ndjson";

/** A key that the export brings; its RFC 7638 thumbprint is how an auditor knows it again. */
export type Key = { readonly kid: string; readonly jwk: JWK; readonly thumbprint: string };

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) });

/** By key id. */
export async function readKeys(directory: string, complain: Complain): Promise<Map<string, Key>> {
  const keys = new Map<string, Key>();
  const wrong = (message: string) => complain({ code: "WrongKeys", place: keysFile, message });
  const text = await readFile(join(directory, keysFile), "utf8").catch((error: unknown) => {
    complain(unreadable(keysFile, error));
  });
  if (text === undefined) return keys;
  const read = keySet.safeParse(readJson(text));
  if (!read.success) wrong("is no JSON Web Key Set");
  for (const jwk of read.data?.keys ?? []) {
    const thumbprint = await calculateJwkThumbprint(jwk).catch(() => undefined);
    if (thumbprint === undefined) wrong(`key ${jwk.kid} is no public key`);
    else if (keys.has(jwk.kid)) wrong(`holds two keys of the id ${jwk.kid}`);
    else keys.set(jwk.kid, { kid: jwk.kid, jwk, thumbprint });
  }
  return keys;
}

const aHash = z.string().regex(/^[0-9a-f]{64}$/);
const checkpointLine = z.object({ seq: z.int().min(1), sealedOn: z.string(), checkpoint: z.string() });
const claims = z.looseObject({
  iss: z.string(),
  iat: z.int(),
  sealedOn: z.string(),
  seq: z.int().min(1),
  prevHash: aHash,
  treeSize: z.int().min(0),
  rootHash: aHash,
  events: z.int().min(0),
});
export type Claims = z.infer<typeof claims>;

/** A checkpoint whose line could be read; what it claims is the service's word until its root is made again. */
export type Checkpoint = {
  readonly place: string;
  readonly jws: string;
  readonly claims: Claims;
  readonly key: Key | undefined;
};

type Asked = { readonly keys: ReadonlyMap<string, Key>; readonly trusted: readonly string[]; readonly now: Date };

/** By seq, in the order of the file: one a day, so they fit in memory. */
export async function readCheckpoints(
  directory: string,
  asked: Asked,
  complain: Complain,
): Promise<Map<number, Checkpoint>> {
  const found = new Map<number, Checkpoint>();
  let before = { seq: 0, hash: "0".repeat(64) };
  for (const { text, number } of texts(join(directory, checkpointsFile), complain)) {
    const at = placeOf(checkpointsFile, number);
    const value = readJson(text);
    const line = checkpointLine.safeParse(value).data;
    const said = line === undefined ? undefined : readClaims(line.checkpoint);
    if (line === undefined || said === undefined) {
      complain({ code: "Malformed", place: at, message: "is no checkpoint" });
      continue;
    }
    const place = `${at}, checkpoint ${line.seq}`;
    const wrong = (code: string, message: string) => complain({ code, place, message });
    if (!isCanonical(text, value)) wrong("NotCanonical", "is not the RFC 8785 form of what it says");
    if (line.seq !== said.seq || line.sealedOn !== said.sealedOn)
      wrong("WrongLine", `stands beside a checkpoint that says seq ${said.seq}, sealed on ${said.sealedOn}`);
    if (said.seq !== before.seq + 1) wrong("SeqGap", `follows checkpoint ${before.seq}`);
    if (said.prevHash !== before.hash) wrong("WrongPrevHash", "does not name the checkpoint before it");
    if (said.iat * 1000 > asked.now.getTime() + skew)
      wrong("FromTheFuture", `says that it was signed on ${new Date(said.iat * 1000).toISOString()}`);
    const key = await signedBy(line.checkpoint, asked, wrong);
    before = { seq: said.seq, hash: sha256Hex(line.checkpoint) };
    if (!found.has(said.seq)) found.set(said.seq, { place, jws: line.checkpoint, claims: said, key });
  }
  return found;
}

/** Clocks differ. */
const skew = 5 * 60_000;

/** What a compact JWS claims, whoever signed it; undefined where it is no checkpoint. */
export function readClaims(jws: string): Claims | undefined {
  const payload = jws.split(".")[1];
  return payload === undefined
    ? undefined
    : claims.safeParse(readJson(Buffer.from(payload, "base64url").toString("utf8"))).data;
}

/** The key whose signature the checkpoint bears; undefined, with the complaint made, where there is none. */
async function signedBy(
  jws: string,
  { keys, trusted }: Asked,
  wrong: (code: string, message: string) => void,
): Promise<Key | undefined> {
  const header = headerOf(jws);
  const key = keys.get(header?.kid ?? "");
  if (key === undefined) {
    wrong("KeyUnknown", `is signed with key ${header?.kid ?? "of no id"}, which is not in ${keysFile}`);
    return undefined;
  }
  const signed = await importJWK(key.jwk, "ES256")
    .then((imported) => compactVerify(jws, imported, { algorithms: ["ES256"] }))
    .then(() => header?.typ === "checkpoint+jwt")
    .catch(() => false);
  if (!signed) {
    wrong("WrongSignature", `bears no signature of key ${key.kid} as a checkpoint`);
    return undefined;
  }
  if (trusted.length > 0 && !trusted.includes(key.thumbprint))
    wrong("KeyNotTrusted", `is signed with a key of thumbprint ${key.thumbprint}, which is not the trusted one`);
  return key;
}

function headerOf(jws: string): { kid?: string; typ?: string } | undefined {
  try {
    return decodeProtectedHeader(jws);
  } catch {
    return undefined;
  }
}
