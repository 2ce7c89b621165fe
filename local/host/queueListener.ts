import { setTimeout as sleep } from "node:timers/promises";
import { type DequeuedMessageItem, QueueClient, RestError } from "@azure/storage-queue";
import type { QueueFunction } from "./functions.ts";
import type { QueueSettings } from "./hostJson.ts";
import type { Invoker, TypedData } from "./invoker.ts";
import { describeError, logLine } from "./log.ts";

/** How the listener's pace differs from the real host's, in milliseconds. */
export type QueuePace = {
  /**
   * How long a message stays hidden while it runs; renewed at a third of it. The real host takes ten minutes: here a killed
   * service's messages are to come back as soon as it is started again.
   */
  readonly leaseMilliseconds: number;
  /** The longest pause between two looks at an empty queue, if `maxPollingInterval` is not shorter. */
  readonly pollMilliseconds: number;
};
export const localPace: QueuePace = { leaseMilliseconds: 10_000, pollMilliseconds: 500 };

export type QueueListener = {
  /** Takes no further message, and resolves when those under way have ended. */
  readonly stop: () => Promise<void>;
};

const shortestPollMilliseconds = 100;
const outagePauseMilliseconds = 2_000;

/**
 * Feeds a queue's messages to its function as the real host does: `batchSize` at a time while at most `newBatchThreshold` run;
 * one that fails shows again after `visibilityTimeout`, and after `maxDequeueCount` attempts moves to `<queue>-poison`.
 * The queue itself is never made, only looked for until it appears; the poison queue is. A poison queue has none of its own: what
 * cannot be read or run stays in it, hidden for the length of a lease after each look.
 */
export function listenToQueue(
  definition: QueueFunction,
  options: {
    readonly connectionString: string;
    readonly settings: QueueSettings;
    readonly invoker: Invoker;
    readonly pace: QueuePace;
  },
): QueueListener {
  const { settings, pace } = options;
  const queue = new QueueClient(options.connectionString, definition.queueName);
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();

  const listen = async (): Promise<void> => {
    let pause = shortestPollMilliseconds;
    while (!stopping.signal.aborted) {
      if (running.size > settings.newBatchThreshold) {
        await Promise.race(running);
        continue;
      }
      const messages = await receive();
      for (const message of messages) start(message);
      pause = messages.length > 0 ? 0 : Math.max(shortestPollMilliseconds, pause * 1.5);
      const longest = Math.min(pace.pollMilliseconds, Math.max(settings.maxPollingInterval, shortestPollMilliseconds));
      await sleepUnless(stopping.signal, Math.min(pause, longest));
    }
  };

  let unreachable = false;
  const receive = async (): Promise<readonly DequeuedMessageItem[]> => {
    try {
      const visibilityTimeout = Math.ceil(pace.leaseMilliseconds / 1000);
      const answer = await queue.receiveMessages({
        numberOfMessages: settings.batchSize,
        visibilityTimeout,
        abortSignal: stopping.signal,
      });
      unreachable = false;
      return answer.receivedMessageItems;
    } catch (error) {
      if (stopping.signal.aborted || isMissing(error)) return [];
      if (!unreachable) logLine(`Queue ${definition.queueName} cannot be read, trying on: ${String(error)}`);
      unreachable = true;
      await sleepUnless(stopping.signal, outagePauseMilliseconds);
      return [];
    }
  };

  const start = (message: DequeuedMessageItem): void => {
    const run = processMessage(message, { definition, queue, ...options })
      .catch((error: unknown) => logLine(`Queue ${definition.queueName}: ${describeError(error)}`))
      .finally(() => running.delete(run));
    running.add(run);
  };

  const listening = listen();
  return {
    stop: async () => {
      stopping.abort();
      await listening;
      await Promise.all(running);
    },
  };
}

type Processing = {
  readonly definition: QueueFunction;
  readonly queue: QueueClient;
  readonly connectionString: string;
  readonly settings: QueueSettings;
  readonly invoker: Invoker;
  readonly pace: QueuePace;
};

async function processMessage(message: DequeuedMessageItem, processing: Processing): Promise<void> {
  const { queue, settings, invoker, definition } = processing;
  const body = decode(message.messageText, settings.messageEncoding);
  const hasPoisonQueue = !queue.name.endsWith("-poison");
  // A message over its count is one whose last attempt died with its worker.
  if (body === undefined || message.dequeueCount > settings.maxDequeueCount) {
    return hasPoisonQueue ? moveToPoison(message, processing) : undefined;
  }

  const lease = holdLease(queue, message, processing.pace.leaseMilliseconds);
  try {
    await invoker.invoke({ ...definition, data: { string: body }, triggerMetadata: triggerMetadata(message, body) });
  } catch (error) {
    logLine(`${definition.name} failed, attempt ${message.dequeueCount}: ${describeError(error)}`);
    const held = { ...message, popReceipt: await lease.release() };
    if (!hasPoisonQueue) return;
    if (message.dequeueCount >= settings.maxDequeueCount) return moveToPoison(held, processing);
    await unlessLost(
      queue.updateMessage(held.messageId, held.popReceipt, undefined, settings.visibilityTimeout / 1000),
    );
    return;
  }
  await unlessLost(queue.deleteMessage(message.messageId, await lease.release()));
}

/** Keeps a message hidden while it runs. `release` ends that and gives the receipt that is now the valid one. */
function holdLease(queue: QueueClient, message: DequeuedMessageItem, leaseMilliseconds: number) {
  let popReceipt = message.popReceipt;
  const released = new AbortController();
  const renew = async (): Promise<void> => {
    while (await sleepUnless(released.signal, leaseMilliseconds / 3)) {
      try {
        const renewed = await queue.updateMessage(
          message.messageId,
          popReceipt,
          undefined,
          Math.ceil(leaseMilliseconds / 1000),
        );
        popReceipt = renewed.popReceipt ?? popReceipt;
      } catch (error) {
        logLine(`Queue ${queue.name}: a message's lease could not be renewed: ${describeError(error)}`);
      }
    }
  };
  const renewing = renew();
  return {
    release: async (): Promise<string> => {
      released.abort();
      await renewing;
      return popReceipt;
    },
  };
}

async function moveToPoison(message: DequeuedMessageItem, { queue, connectionString }: Processing): Promise<void> {
  const poison = new QueueClient(connectionString, `${queue.name}-poison`);
  await poison.createIfNotExists();
  await poison.sendMessage(message.messageText);
  logLine(`Queue ${queue.name}: a message was moved to ${poison.name} after ${message.dequeueCount} attempts.`);
  await unlessLost(queue.deleteMessage(message.messageId, message.popReceipt));
}

/** The text of a message, or `undefined` for one that is not base64: the real host moves such a one to the poison queue. */
function decode(text: string, encoding: QueueSettings["messageEncoding"]): string | undefined {
  if (encoding === "none") return text;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text.trim() ? bytes.toString("utf8") : undefined;
}

function triggerMetadata(message: DequeuedMessageItem, body: string): Record<string, TypedData> {
  return {
    QueueTrigger: { string: body },
    Id: { string: message.messageId },
    PopReceipt: { string: message.popReceipt },
    DequeueCount: { json: JSON.stringify(message.dequeueCount) },
    InsertionTime: { json: JSON.stringify(message.insertedOn) },
    ExpirationTime: { json: JSON.stringify(message.expiresOn) },
    NextVisibleTime: { json: JSON.stringify(message.nextVisibleOn) },
  };
}

const isMissing = (error: unknown): boolean => error instanceof RestError && error.statusCode === 404;

/** A message that is gone or taken by another receiver needs nothing more of this one. */
async function unlessLost(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!isMissing(error) && !(error instanceof RestError && error.statusCode === 400)) throw error;
  }
}

/** Waits; `false` when it was cut short. */
async function sleepUnless(signal: AbortSignal, milliseconds: number): Promise<boolean> {
  try {
    await sleep(milliseconds, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
