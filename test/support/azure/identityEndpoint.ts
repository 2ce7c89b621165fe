import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { listenOn } from "./listen.ts";

/**
 * The endpoint that the platform gives a function app for its managed identity, as `@azure/identity` speaks with it. Its tokens say what
 * Azurite (`--oauth basic`) and the tests' Resource Manager read: whom they are for, and until when. Nobody signs them.
 */
export type IdentityEndpoint = {
  /** Environment of a process whose identity it is. */
  readonly environment: Readonly<Record<"IDENTITY_ENDPOINT" | "IDENTITY_HEADER", string>>;
  /** Client ids that tokens were asked for with. */
  readonly clientIds: ReadonlySet<string>;
  readonly stop: () => Promise<void>;
};

const tenant = "ab1f708d-50f6-404c-a006-d71b2ac7a606";

export async function startIdentityEndpoint(): Promise<IdentityEndpoint> {
  const secret = randomUUID();
  const clientIds = new Set<string>();
  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? "", "http://identity.test").searchParams;
    const [resource, clientId] = [asked.get("resource"), asked.get("client_id")];
    if (request.headers["x-identity-header"] !== secret || resource === null) {
      response.writeHead(400).end();
      return;
    }
    if (clientId !== null) clientIds.add(clientId);
    const expiresOn = Math.floor(Date.now() / 1_000) + 3_600;
    response.setHeader("content-type", "application/json").end(
      JSON.stringify({
        access_token: tokenFor(resource, expiresOn),
        expires_on: String(expiresOn),
        resource,
        token_type: "Bearer",
        client_id: clientId,
      }),
    );
  });
  const { port, stop } = await listenOn(server);
  return {
    environment: { IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/msi/token`, IDENTITY_HEADER: secret },
    clientIds,
    stop,
  };
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

function tokenFor(resource: string, expiresOn: number): string {
  const claims = {
    aud: resource,
    iss: `https://sts.windows.net/${tenant}/`,
    iat: expiresOn - 3_600,
    nbf: expiresOn - 3_660,
    exp: expiresOn,
    oid: randomUUID(),
    tid: tenant,
  };
  return `${base64url({ alg: "none", typ: "JWT" })}.${base64url(claims)}.unsigned`;
}
