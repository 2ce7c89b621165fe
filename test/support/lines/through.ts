import type { Server } from "node:net";
import type { Exchange } from "../../../client/index.ts";

/** The client's own line, led through a server of ours: only the address dialled is another, so signatures and URLs stay as they are. */
export const through =
  (exchange: Exchange, placeFor: (origin: string) => string): Exchange =>
  (request) => {
    const { origin, host, pathname, search } = new URL(request.url);
    return exchange({
      ...request,
      url: placeFor(origin) + pathname + search,
      headers: { ...request.headers, host },
    });
  };

/** Listens on a free port of this machine; gives the origin. */
export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  return `http://127.0.0.1:${address.port}`;
}
