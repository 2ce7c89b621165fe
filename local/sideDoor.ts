import { createServer } from "node:http";

/** What the service answers beside its contract, on a free port of the loopback: the issuer's keys, and which instance it is. */
export type SideDoor = {
  readonly jwksUrl: string;
  readonly instanceUrl: string;
  /** From now on the instance says that it is on its way out. */
  readonly sayStopping: () => void;
  readonly close: () => Promise<void>;
};

/** What an instance answers once it stops. */
export const stoppingAnswer = (instance: string): string => `${instance} is stopping`;

/** Opens it. The keys are what `TOKEN_JWKS_URL` gives; the instance tells a living service from a stale lock. */
export async function openSideDoor(instance: string, jwks: object): Promise<SideDoor> {
  let answer = instance;
  const server = createServer((request, response) => {
    if (request.url === "/keys") response.setHeader("content-type", "application/json").end(JSON.stringify(jwks));
    else response.end(answer);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The side door has no port.");
  const origin = `http://127.0.0.1:${address.port}`;
  return {
    jwksUrl: `${origin}/keys`,
    instanceUrl: `${origin}/instance`,
    sayStopping: () => {
      answer = stoppingAnswer(instance);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
