import type { Server } from "node:http";
import type { Server as TlsServer } from "node:https";

/** Listens on a free port of this machine. `stop` ends its connections too. */
export async function listenOn(server: Server | TlsServer): Promise<{ port: number; stop: () => Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server has no port");
  return {
    port: address.port,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
