import type { QueueClient } from "@azure/storage-queue";
import type { VerificationQueue } from "../operations/needs.ts";
import { hasCode, orUnavailable } from "./failures.ts";

/** The queue of verifications: messages are JSON in base64, as the Functions host expects them. */

/** Messages never expire by themselves: what was acknowledged is not lost (invariant 7). */
const forEver = -1;

/** `open` is asked once, by the first message. */
export function openVerificationQueue(open: () => Promise<QueueClient>): VerificationQueue {
  let opened: Promise<QueueClient> | undefined;
  return {
    send: (message, delaySeconds = 0) =>
      orUnavailable(async () => {
        opened ??= open();
        const queue = await opened;
        const text = Buffer.from(JSON.stringify(message)).toString("base64");
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
