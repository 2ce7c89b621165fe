import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import { z } from "zod";
import { defaultScope, kindsOf, type RoleName, roles } from "../shared/auth/roles.ts";
import { readOrCreateJson } from "./files.ts";

/** The token issuer of one machine: what Entra ID is in Azure. Its keys are the folder's, so tokens outlive a restart. */
export type Issuer = {
  readonly issuer: string;
  readonly audience: string;
  readonly tenantId: string;
  /** What `TOKEN_JWKS_URL` is to give. */
  readonly jwks: { readonly keys: readonly object[] };
  /** A bearer token in the shape of Entra's v2.0 access tokens, valid for an hour: a person's or an application's, as the roles are. */
  readonly issueToken: (caller: {
    readonly oid: string;
    readonly roles: readonly RoleName[];
    readonly scope?: string | undefined;
  }) => Promise<string>;
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
    issueToken: async ({ oid, roles, scope = defaultScope }) =>
      new SignJWT({ tid: tenantId, oid, azp: audience, roles: [...roles], ver: "2.0", ...kindClaims(roles, scope) })
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

/** What tells a person's token from an application's. */
const kindClaims = ([role]: readonly RoleName[], scope: string): object =>
  role !== undefined && kindsOf[roles[role]][0] === "appOnly" ? { idtyp: "app" } : { scp: scope };

async function makeIssuer(): Promise<z.input<typeof issuerFile>> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const jwk = privateKey.parse({ ...(await exportJWK(pair.privateKey)), kid: randomUUID() });
  return { tenantId: randomUUID(), audience: randomUUID(), keys: [jwk] };
}
