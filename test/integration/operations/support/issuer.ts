import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { kindOf, type Role } from "../../../support/system/world.ts";

/** An issuer of access tokens that publishes its key over HTTP, as Entra ID does. */
export type Issuer = {
  readonly settings: Readonly<Record<string, string>>;
  /** What `TOKEN_JWKS_URL` is to be. */
  readonly jwksUrl: string;
  readonly token: (roles: readonly Role[], oid: string) => Promise<string>;
  readonly stop: () => Promise<void>;
};

const names = {
  R: "Registration.Manage",
  C: "Cases.Sync",
  E: "Support.Engineer",
  A: "Compliance.Audit",
} as const satisfies Record<Role, string>;

const tenant = "5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c11";
const issuer = `https://issuer.invalid/${tenant}/v2.0`;
const audience = "stamp-intake-under-test";

/** With `tls` its keys are published over HTTPS, with the certificate and key in PEM. */
export async function startIssuer(tls?: { readonly cert: string; readonly key: string }): Promise<Issuer> {
  const pair = await generateKeyPair("ES256", { extractable: true });
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: "t1", alg: "ES256" }] });
  const publish: RequestListener = (_, response) => response.setHeader("content-type", "application/json").end(jwks);
  const server = tls === undefined ? createServer(publish) : createTlsServer(tls, publish);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    settings: {
      TOKEN_ISSUER: issuer,
      TOKEN_AUDIENCE: audience,
      TOKEN_TENANT_ID: tenant,
    },
    jwksUrl: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}/`,
    token: (roles, oid) =>
      new SignJWT({ tid: tenant, oid, ver: "2.0", roles: roles.map((role) => names[role]), ...kindOf(roles) })
        .setProtectedHeader({ alg: "ES256", kid: "t1" })
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setNotBefore("0s")
        .setExpirationTime("1h")
        .sign(pair.privateKey),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
