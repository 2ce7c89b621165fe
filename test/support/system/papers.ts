import { compactVerify, createLocalJWKSet, decodeProtectedHeader } from "jose";
import { expect } from "vitest";
import { z } from "zod";
import type { World } from "./world.ts";

/** Signed papers, verified as anyone can: with the keys that the service publishes. */

const keySet = z.looseObject({
  keys: z
    .array(z.looseObject({ kty: z.string(), kid: z.string(), crv: z.string(), x: z.string(), y: z.string() }))
    .min(1),
});

/** What every paper says (`API.md`, Signed papers). */
export const paperClaims = z.looseObject({
  iss: z.string(),
  iat: z.int(),
  jti: z.string().min(1),
  sub: z.string().optional(),
  ledger: z
    .looseObject({ partition: z.string(), seq: z.int().min(1), hash: z.string().regex(/^[0-9a-f]{64}$/) })
    .optional(),
});
export type Paper = z.infer<typeof paperClaims>;

/** The published keys. Fails where one of them has a private part. */
export async function publishedKeys(world: World) {
  const { json } = await world.send({ method: "GET", path: "/.well-known/jwks.json" });
  const set = keySet.parse(json);
  for (const key of set.keys) expect(key).not.toHaveProperty("d");
  return set;
}

/** Verifies a paper of type `typ`, such as `consent-receipt+jwt`, and gives its claims. */
export async function verifiedPaper(world: World, paper: string, typ: string): Promise<Paper> {
  const header = decodeProtectedHeader(paper);
  expect(header).toMatchObject({ alg: "ES256", typ });
  const keys = await publishedKeys(world);
  expect(keys.keys.map(({ kid }) => kid)).toContain(header.kid);
  const { payload } = await compactVerify(paper, createLocalJWKSet(keys), { algorithms: ["ES256"] });
  const claims = paperClaims.parse(JSON.parse(new TextDecoder().decode(payload)));
  expect(claims.iss).toBe(world.origin);
  expect(Math.abs(claims.iat - Date.now() / 1000)).toBeLessThan(120);
  return claims;
}
