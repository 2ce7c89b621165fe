import { once } from "node:events";
import {
  type ClientRequest,
  createServer,
  request as forward,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { type Draws, seeded } from "./seeded.ts";
import { listening } from "./through.ts";

/**
 * A bad line: an HTTP server between the client and whatever the `Host` header names, which cuts connections in the middle, answers 503
 * for others, and falls silent. It counts the bytes of bodies that crossed it, whatever became of them.
 */

export type Faults = {
  /** A connection is cut after so many bytes of bodies on average, exponentially distributed. */
  readonly meanBytesBetweenCuts: number;
  /** Share of the requests that are answered 503, after all their bytes were taken; of half of them all was done. */
  readonly refusedShare: number;
  /** Share of the requests in the middle of which the line falls silent. */
  readonly stalledShare: number;
};

type Fate = "pass" | "refuse" | "doAndRefuse" | "stall";

export async function startFaultProxy(seed: number, faults: Faults) {
  const [fates, cuts] = [seeded(seed), seeded(seed + 1)];
  const counts = { bodyBytes: 0, requests: 0, cut: 0, refused: 0, stalled: 0 };
  /** Bytes that each connection carries before it is cut. */
  const left = new WeakMap<Socket, number>();

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    counts.requests += 1;
    const fate = fateOf(fates, faults);
    const upstream = fate === "pass" || fate === "doAndRefuse" ? toHost(incoming) : undefined;
    // What fails beyond shows as a dropped connection, as it would on a line.
    upstream?.on("error", () => incoming.socket.destroy());
    const answered = upstream && responseOf(upstream);
    answered?.catch(() => undefined);

    const silentAfter =
      fate === "stall" ? fates.uniform() * Number(incoming.headers["content-length"] ?? 0) : undefined;
    const arrived = await carry(incoming, silentAfter, (chunk) => upstream?.write(chunk));
    if (!arrived) return void upstream?.destroy();
    if (answered === undefined) return refuse(response);
    upstream?.end();
    const answer = await answered;
    const body = await buffer(answer);
    if (fate === "doAndRefuse") return refuse(response);
    response.writeHead(answer.statusCode ?? 500, answer.headers).end(body);
  }

  /** Takes the body; false where the line was cut or fell silent before its end. */
  async function carry(
    incoming: IncomingMessage,
    silentAfter: number | undefined,
    pass: (chunk: Buffer) => boolean | undefined,
  ): Promise<boolean> {
    let taken = 0;
    // Leaving the loop must not end the connection: silence is not a cut.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      counts.bodyBytes += chunk.length;
      taken += chunk.length;
      const remaining = (left.get(incoming.socket) ?? 0) - chunk.length;
      left.set(incoming.socket, remaining);
      if (remaining <= 0) {
        counts.cut += 1;
        incoming.socket.destroy();
        return false;
      }
      if (silentAfter !== undefined && taken >= silentAfter) break;
      pass(chunk);
    }
    if (silentAfter === undefined) return true;
    counts.stalled += 1;
    if (!incoming.socket.destroyed) await once(incoming.socket, "close");
    return false;
  }

  function refuse(response: ServerResponse): void {
    counts.refused += 1;
    response.writeHead(503, { "x-ms-error-code": "ServerBusy" }).end();
  }

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  server.on("connection", (socket: Socket) => left.set(socket, cuts.exponential(faults.meanBytesBetweenCuts)));
  const origin = await listening(server);
  return {
    origin,
    counts,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function fateOf({ uniform }: Draws, { refusedShare, stalledShare }: Faults): Fate {
  const drawn = uniform();
  if (drawn < stalledShare) return "stall";
  if (drawn < stalledShare + refusedShare / 2) return "refuse";
  return drawn < stalledShare + refusedShare ? "doAndRefuse" : "pass";
}

const responseOf = (upstream: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => upstream.on("response", resolve).on("error", reject));

const toHost = ({ method, url, headers }: IncomingMessage) =>
  forward(new URL(url ?? "/", `http://${headers.host}`), { method, headers });
