import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import { z } from "zod";
import { readOrCreateJson } from "./files.ts";

/** The token issuer of one machine: what Entra ID is in Azure. Its keys are the folder's, so tokens outlive a restart. */
export type Issuer = {
  readonly issuer: string;
  readonly audience: string;
  readonly tenantId: string;
  /** What `TOKEN_JWKS_URL` is to give. */
  readonly jwks: { readonly keys: readonly object[] };
  /** A bearer token in the shape of Entra's v2.0 access tokens, valid for an hour. `roles` are names such as `Cases.Sync`. */
  readonly issueToken: (caller: { readonly oid: string; readonly roles: readonly string[] }) => Promise<string>;
};

const algorithm = "RS256";
const privateKey = z.looseObject({
  kty: z.literal("RSA"),
  kid: z.string(),
  n: z.string(),
  e: z.string(),
  d: z.string(),
});
const issuerFile = z.object({ tenantId: z.guid(), audience: z.guid(), keys: z.tuple([privateKey]) });

/** Opens the issuer of `directory`, which is made on first use. */
export async function openIssuer(directory: string): Promise<Issuer> {
  const { tenantId, audience, keys } = await readOrCreateJson(join(directory, "issuer.json"), issuerFile, makeIssuer);
  const [key] = keys;
  const issuer = `https://issuer.invalid/${tenantId}/v2.0`;
  return {
    issuer,
    audience,
    tenantId,
    jwks: { keys: [{ kty: key.kty, n: key.n, e: key.e, kid: key.kid, alg: algorithm, use: "sig" }] },
    issueToken: async ({ oid, roles }) =>
      new SignJWT({ tid: tenantId, oid, roles: [...roles], ver: "2.0" })
        .setProtectedHeader({ typ: "JWT", alg: algorithm, kid: key.kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(oid)
        .setIssuedAt()
        .setNotBefore("0s")
        .setExpirationTime("1h")
        .sign(await importJWK(key, algorithm)),
  };
}

async function makeIssuer(): Promise<z.input<typeof issuerFile>> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const jwk = privateKey.parse({ ...(await exportJWK(pair.privateKey)), kid: randomUUID() });
  return { tenantId: randomUUID(), audience: randomUUID(), keys: [jwk] };
}
