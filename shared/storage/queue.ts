import type { QueueClient } from "@azure/storage-queue";
import { lazy } from "../lazy.ts";
import { hasCode, orUnavailable } from "./failures.ts";

/** A queue of work: messages are JSON in base64, as the Functions host expects them. */

/** Messages never expire by themselves: what was acknowledged is not lost (invariant 7). */
const forEver = -1;

/** `open` is asked once, by the first message; `traceparent` at each, for whoever takes it to go on in the sender's trace. */
export function openQueue<Message extends object>(
  traceparent: () => string | undefined,
  open: () => Promise<QueueClient>,
): {
  readonly send: (message: Message, delaySeconds?: number) => Promise<void>;
} {
  const opened = lazy(open);
  return {
    send: (message, delaySeconds = 0) =>
      orUnavailable(async () => {
        const queue = await opened();
        const text = Buffer.from(JSON.stringify({ ...message, traceparent: traceparent() })).toString("base64");
        const options = { messageTimeToLive: forEver, visibilityTimeout: delaySeconds };
        try {
          await queue.sendMessage(text, options);
        } catch (error) {
          if (!hasCode(error, "QueueNotFound")) throw error;
          await queue.createIfNotExists();
          await queue.sendMessage(text, options);
        }
      }),
  };
}
