import { connect, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { type RateLimiter, rateLimiter } from "../../client/index.ts";
import { listening } from "../../test/support/lines/through.ts";

/** A thin line, simulated: what is sent shares one rate, headers and all, and every byte is late by half the round trip, either way. */

export type ThinLine = {
  /** Where to dial instead of that origin. */
  readonly placeFor: (origin: string) => string;
  /** Bytes that the client sent over it. */
  readonly sentBytes: () => number;
};

/** Opens the line to these origins; `undo` closes it. */
export async function openThinLine(
  undo: AsyncDisposableStack,
  origins: readonly string[],
  { bytesPerSecond, roundTripMs }: { readonly bytesPerSecond: number; readonly roundTripMs: number },
): Promise<ThinLine> {
  const limiter = rateLimiter(bytesPerSecond);
  let sentBytes = 0;

  /** Carries bytes in order: each part waits for its turn on the line, then arrives half a round trip later. */
  async function carry(from: Socket, to: Socket, rate: RateLimiter | undefined): Promise<void> {
    for await (const chunk of from) {
      if (rate !== undefined) {
        sentBytes += chunk.length;
        // The limiter tells when a part may begin; on a line it has arrived when its last byte has.
        await pause(rate.book(chunk.length, performance.now()) + (chunk.length * 1000) / bytesPerSecond);
      }
      setTimeout(() => to.destroyed || to.write(chunk), roundTripMs / 2);
    }
    setTimeout(() => to.end(), roundTripMs / 2);
  }

  const places = new Map<string, string>();
  for (const origin of new Set(origins)) {
    const { hostname, port } = new URL(origin);
    const server = createServer({ highWaterMark: 16 * 1024 }, (near) => {
      const far = connect(Number(port), hostname);
      const end = () => [near, far].forEach((socket) => void socket.destroy());
      carry(near, far, limiter).catch(end);
      carry(far, near, undefined).catch(end);
    });
    places.set(origin, await listening(server));
    undo.defer(() => void server.close());
  }
  return { placeFor: (origin) => places.get(origin) ?? origin, sentBytes: () => sentBytes };
}
