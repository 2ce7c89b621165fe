import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export type StandIn = { readonly port: number; readonly [Symbol.asyncDispose]: () => Promise<void> };

/** A TCP proxy in front of storage that breaks `cuts` connections, each after it has carried `afterBytes` of answers. */
export async function breakingProxy(target: URL, { cuts, afterBytes }: { cuts: number; afterBytes: number }) {
  let left = cuts;
  return serve((client) => {
    const storage = connect(Number(target.port), target.hostname);
    let carried = 0;
    storage.on("data", (bytes) => {
      carried += bytes.length;
      if (left > 0 && carried > afterBytes) {
        left -= 1;
        client.resetAndDestroy();
        storage.destroy();
        return;
      }
      if (!client.write(bytes)) storage.pause();
    });
    client.on("drain", () => storage.resume());
    client.on("data", (bytes) => storage.write(bytes));
    for (const [one, other] of [
      [client, storage],
      [storage, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
}

/** Something that takes connections and never answers. */
export const silentServer = (): Promise<StandIn> => serve((client) => void client.on("error", () => client.destroy()));

async function serve(onClient: (client: Socket) => void): Promise<StandIn> {
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    onClient(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server.address()),
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const client of clients) client.destroy();
      await once(server, "close");
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return address.port;
}
