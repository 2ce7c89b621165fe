import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from "jose";
import { z } from "zod";

/** Opens a signed paper with the keys that the service publishes. Throws where the signature or the kind of paper is another. */
export async function openPaper(
  paper: string,
  kind: string,
  keys: JSONWebKeySet,
): Promise<Readonly<Record<string, unknown>>> {
  const { payload, protectedHeader } = await compactVerify(paper, createLocalJWKSet(keys), { algorithms: ["ES256"] });
  if (protectedHeader.typ !== kind) throw new Error(`The paper is a ${protectedHeader.typ}, not a ${kind}`);
  return z.record(z.string(), z.unknown()).parse(JSON.parse(new TextDecoder().decode(payload)));
}
