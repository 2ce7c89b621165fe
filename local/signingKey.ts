import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { z } from "zod";
import { readOrCreateJson } from "./files.ts";

/** Path of the file with the keys that sign receipts, certificates and checkpoints on one machine; made on first use. */
export async function openSigningKeys(directory: string): Promise<string> {
  const path = join(directory, "signing-keys.json");
  await readOrCreateJson(path, z.object({ keys: z.array(z.looseObject({ kid: z.string() })).min(1) }), async () => {
    const pair = await generateKeyPair("ES256", { extractable: true });
    return { keys: [{ ...(await exportJWK(pair.privateKey)), kid: randomUUID(), alg: "ES256", use: "sig" }] };
  });
  return path;
}
