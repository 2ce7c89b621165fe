import { createServer } from "node:http";

/** What the service answers beside its contract, on a free port of the loopback: the issuer's keys, and which instance it is. */
export type SideDoor = { readonly jwksUrl: string; readonly instanceUrl: string; readonly close: () => Promise<void> };

/** Opens it. The keys are what `TOKEN_JWKS_URL` gives; the instance tells a living service from a stale lock. */
export async function openSideDoor(instance: string, jwks: object): Promise<SideDoor> {
  const server = createServer((request, response) => {
    if (request.url === "/keys") response.setHeader("content-type", "application/json").end(JSON.stringify(jwks));
    else response.end(instance);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The side door has no port.");
  const origin = `http://127.0.0.1:${address.port}`;
  return {
    jwksUrl: `${origin}/keys`,
    instanceUrl: `${origin}/instance`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
