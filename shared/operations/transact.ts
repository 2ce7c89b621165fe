import { DomainError } from "../errors.ts";
import { inTurn } from "./inTurn.ts";
import { HeadMoved } from "./needs.ts";

/** Reads, decides and commits until no other writer came between (`DESIGN.md`, Data: the head is the lock). */

const mostAttempts = 16;
const longestPauseMs = 400;

/**
 * Runs `attempt` with the partition's head, anew each time a commit inside it throws `HeadMoved`. `first` is a head already read;
 * `attempt` learns whether it runs for the first time. A first attempt waits for nobody; whoever lost one queues with the other losers of this
 * process, so that from then on only other instances and newcomers are in its way. Throws `ServiceUnavailable` where the partition never rests.
 */
export async function transact<Head, Result>(
  read: () => Promise<Head>,
  attempt: (head: Head, isFirst: boolean) => Promise<Result>,
  first?: Head,
): Promise<Result> {
  try {
    return await attempt(first ?? (await read()), true);
  } catch (error) {
    if (!(error instanceof HeadMoved)) throw error;
    return await inTurn(error.place, () => again(async () => attempt(await read(), false)));
  }
}

async function again<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 2; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HeadMoved)) throw error;
      if (tries === mostAttempts) {
        throw new DomainError("ServiceUnavailable", "Too many changes at once. Send the request again in a moment.", {
          cause: error,
          retryAfterSeconds: 1,
        });
      }
      await pause(Math.random() * Math.min(longestPauseMs, 10 * 2 ** tries));
    }
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
