import { createServer, request as forward } from "node:http";
import { connect, type Socket } from "node:net";
import { listening } from "./through.ts";

/** A proxy as companies have one: CONNECT for https, absolute URLs for http, credentials where it wants some. Every `.test` name is this machine. */

export type ProxyOptions = {
  /** `user:password` that it asks for. */
  readonly credentials?: string;
  /** Answers every CONNECT with this status. */
  readonly refuseWith?: number;
};

export async function startConnectProxy({ credentials, refuseWith }: ProxyOptions = {}) {
  /** `CONNECT host:port`, or `METHOD host:port` of a plain request, as they came. */
  const seen: string[] = [];
  const open = new Set<Socket>();
  const wanted = credentials && `Basic ${Buffer.from(credentials).toString("base64")}`;
  const isWelcome = (header: string | undefined) => wanted === undefined || header === wanted;

  const server = createServer((incoming, response) => {
    const target = new URL(incoming.url ?? "");
    seen.push(`${incoming.method} ${target.host}`);
    if (!isWelcome(incoming.headers["proxy-authorization"])) return void response.writeHead(407).end();
    const outgoing = forward(
      {
        host: addressOf(target.hostname),
        port: target.port,
        path: target.pathname + target.search,
        method: incoming.method,
        headers: incoming.headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on("error", () => response.destroy());
    incoming.pipe(outgoing);
  });
  server.on("connect", (incoming, socket: Socket, head: Buffer) => {
    seen.push(`CONNECT ${incoming.url}`);
    socket.on("error", () => undefined);
    const status = isWelcome(incoming.headers["proxy-authorization"]) ? refuseWith : 407;
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
    const { hostname, port } = new URL(`http://${incoming.url}`);
    const beyond = connect(Number(port), addressOf(hostname), () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      beyond.write(head);
      socket.pipe(beyond).pipe(socket);
    });
    beyond.on("error", () => socket.destroy());
    for (const each of [socket, beyond]) {
      open.add(each);
      each.on("close", () => open.delete(each));
    }
  });

  const origin = await listening(server);
  return {
    origin,
    seen,
    [Symbol.asyncDispose]: async () => {
      for (const each of open) each.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const addressOf = (name: string): string => (name.endsWith(".test") ? "127.0.0.1" : name);
