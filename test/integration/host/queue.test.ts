import { randomUUID } from "node:crypto";
import { QueueClient } from "@azure/storage-queue";
import { afterEach, expect, inject, test } from "vitest";
import { release, runsOf, startFixture, type TestHost } from "../../support/host-app/start.ts";
import { until } from "../../support/until.ts";

/** What the real host does with a storage queue, and what `host.json` says of it. */

const storage = inject("storageConnectionString");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const oneAtATime = { batchSize: 1, newBatchThreshold: 0, visibilityTimeout: "00:00:00" };

const open: TestHost[] = [];
async function start(options: Omit<Parameters<typeof startFixture>[0], "storage"> = {}): Promise<TestHost> {
  const host = await startFixture({ storage, queues: oneAtATime, ...options });
  open.push(host);
  return host;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((host) => host.stop(5_000)));
});

async function makeQueue(name = `q-${randomUUID()}`): Promise<QueueClient> {
  const queue = new QueueClient(storage, name);
  await queue.create();
  return queue;
}

const runsWith = async (host: TestHost, id: string) =>
  (await runsOf(host.origin)).filter(
    ({ functionName, input }) => functionName === "Messages" && JSON.stringify(input).includes(id),
  );
const firstRun = (host: TestHost, id: string) => until(`a run with ${id}`, async () => (await runsWith(host, id))[0]);
const count = async (queue: QueueClient) => (await queue.getProperties()).approximateMessagesCount;
const untilEmpty = (queue: QueueClient) => until(`${queue.name} to be empty`, async () => (await count(queue)) === 0);
const poisonOf = (queue: QueueClient) => new QueueClient(storage, `${queue.name}-poison`);
const poisoned = (queue: QueueClient) =>
  until("a poison message", async () => {
    const peeked = await poisonOf(queue)
      .peekMessages()
      .catch(() => undefined);
    return peeked?.peekedMessageItems[0]?.messageText;
  });

test("a message is base64; JSON arrives parsed, any other text as it is; then it is deleted", async () => {
  const queue = await makeQueue();
  const host = await start({ queueName: queue.name });
  const [json, text] = [randomUUID(), `text ${randomUUID()} é`];
  await queue.sendMessage(base64(JSON.stringify({ json })));
  await queue.sendMessage(base64(text));
  expect(await firstRun(host, json)).toMatchObject({ input: { json }, dequeueCount: 1 });
  expect(await firstRun(host, text)).toMatchObject({ input: text });
  await untilEmpty(queue);
});

test("a queue that is not there is not made, but found as soon as it is", async () => {
  const host = await start();
  const queue = new QueueClient(storage, host.queueName);
  const ticks = async () =>
    (await runsOf(host.origin)).filter(({ functionName }) => functionName === "EverySecond").length;
  const before = await ticks();
  await until("time to pass, in which the listener looks too", async () => (await ticks()) > before);
  expect(await queue.exists()).toBe(false);
  await queue.create();
  const id = randomUUID();
  await queue.sendMessage(base64(id));
  await firstRun(host, id);
});

test("a message that fails is tried five times, then moves to the poison queue, which the host makes", async () => {
  const queue = await makeQueue();
  const host = await start({ queueName: queue.name });
  const message = base64(`fail ${randomUUID()}`);
  await queue.sendMessage(message);
  expect(await poisoned(queue)).toBe(message);
  expect(
    (await runsWith(host, Buffer.from(message, "base64").toString())).map(({ dequeueCount }) => dequeueCount),
  ).toEqual([1, 2, 3, 4, 5]);
  await untilEmpty(queue);
});

test("maxDequeueCount says how many attempts there are", async () => {
  const queue = await makeQueue();
  const host = await start({ queueName: queue.name, queues: { ...oneAtATime, maxDequeueCount: 2 } });
  const id = `fail ${randomUUID()}`;
  await queue.sendMessage(base64(id));
  await poisoned(queue);
  expect(await runsWith(host, id)).toHaveLength(2);
});

test("a message whose last attempt died with its worker goes to the poison queue without another", async () => {
  const queue = await makeQueue();
  const id = randomUUID();
  await queue.sendMessage(base64(id));
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const { receivedMessageItems } = await queue.receiveMessages({ visibilityTimeout: 1 });
    const [taken] = receivedMessageItems;
    expect(taken?.dequeueCount).toBe(attempt);
    await queue.updateMessage(taken?.messageId ?? "", taken?.popReceipt ?? "", undefined, 0);
  }
  const host = await start({ queueName: queue.name });
  expect(await poisoned(queue)).toBe(base64(id));
  expect(await runsWith(host, id)).toEqual([]);
});

test("a message that is not base64 goes to the poison queue at once", async () => {
  const queue = await makeQueue();
  const host = await start({ queueName: queue.name });
  const text = `plain ${randomUUID()}`;
  await queue.sendMessage(text);
  expect(await poisoned(queue)).toBe(text);
  expect(await runsWith(host, text)).toEqual([]);
});

test("a poison queue has none of its own: what cannot be decoded stays there, and no function sees it", async () => {
  const queue = await makeQueue(`q-${randomUUID()}-poison`);
  const pace = { leaseMilliseconds: 1_000, pollMilliseconds: 100 };
  const host = await start({ queueName: queue.name, queuePace: pace });
  const text = `plain ${randomUUID()}`;
  await queue.sendMessage(text);
  await until("a second look at it", async () => {
    const [peeked] = (await queue.peekMessages()).peekedMessageItems;
    return peeked !== undefined && peeked.messageText === text && peeked.dequeueCount > 1;
  });
  expect(await poisonOf(queue).exists()).toBe(false);
  expect(await runsWith(host, text)).toEqual([]);
});

test("a message that fails in a poison queue is tried again as often as elsewhere, and then stays", async () => {
  const queue = await makeQueue(`q-${randomUUID()}-poison`);
  const pace = { leaseMilliseconds: 1_000, pollMilliseconds: 100 };
  const host = await start({ queueName: queue.name, queuePace: pace, queues: { ...oneAtATime, maxDequeueCount: 2 } });
  const id = `fail ${randomUUID()}`;
  await queue.sendMessage(base64(id));
  await until("a look after the last attempt", async () => {
    const [peeked] = (await queue.peekMessages()).peekedMessageItems;
    return peeked !== undefined && peeked.dequeueCount > 2;
  });
  expect((await runsWith(host, id)).map(({ dequeueCount }) => dequeueCount)).toEqual([1, 2]);
  expect(await poisonOf(queue).exists()).toBe(false);
});

test("a failed message stays hidden for visibilityTimeout", async () => {
  const queue = await makeQueue();
  const host = await start({ queueName: queue.name, queues: { ...oneAtATime, visibilityTimeout: "00:10:00" } });
  const id = `fail ${randomUUID()}`;
  await queue.sendMessage(base64(id));
  await firstRun(host, id);
  const later = randomUUID();
  await queue.sendMessage(base64(later));
  await firstRun(host, later);
  await until("the later message to be deleted", async () => (await count(queue)) === 1);
  expect(await runsWith(host, id)).toHaveLength(1);
  expect((await queue.peekMessages()).peekedMessageItems).toEqual([]);
});

test("a message that runs stays hidden however long it takes", async () => {
  const queue = await makeQueue();
  // Long enough for its renewal, at a third, to come in time also from a process that was held up for seconds.
  const queuePace = { leaseMilliseconds: 6_000, pollMilliseconds: 100 };
  const options = { queueName: queue.name, queuePace, queues: { ...oneAtATime, newBatchThreshold: 4 } };
  const [host, other] = [await start(options), await start(options)];
  const key = `hold-${randomUUID()}`;
  await queue.sendMessage(base64(key));
  await firstRun(host, key);
  const afterOneLease = Date.now() + 1.5 * queuePace.leaseMilliseconds;
  await until("its first lease to be over", () => Date.now() > afterOneLease);
  await release(other.origin, key);
  await untilEmpty(queue);
  expect(await runsWith(host, key)).toHaveLength(1);
});

test("with batchSize 1 and newBatchThreshold 0 one message runs at a time, with a higher threshold more", async () => {
  const queue = await makeQueue();
  const host = await start({ queueName: queue.name });
  const keys = [`hold-${randomUUID()}`, `hold-${randomUUID()}`];
  for (const key of keys) await queue.sendMessage(base64(key));
  const held = await until("one of them to run", async () => {
    for (const key of keys) if ((await runsWith(host, key)).length > 0) return key;
    return undefined;
  });
  const waiting = keys.find((key) => key !== held) ?? "";
  // The waiting one is seen in the queue by everyone, and not taken.
  expect((await queue.peekMessages()).peekedMessageItems.map(({ messageText }) => messageText)).toEqual([
    base64(waiting),
  ]);
  expect(await runsWith(host, waiting)).toEqual([]);

  const wide = await start({ queueName: queue.name, queues: { ...oneAtATime, newBatchThreshold: 1 } });
  const third = `hold-${randomUUID()}`;
  await queue.sendMessage(base64(third));
  await firstRun(wide, waiting);
  await firstRun(wide, third);
  for (const key of [...keys, third]) await release(host.origin, key);
  await untilEmpty(queue);
});

test("a stop waits for the message that runs, and deletes it", async () => {
  const queue = await makeQueue();
  const host = await start({ queueName: queue.name, queues: { ...oneAtATime, newBatchThreshold: 4 } });
  const helper = await start();
  const key = `hold-${randomUUID()}`;
  await queue.sendMessage(base64(key));
  await firstRun(helper, key);
  let stopped = false;
  const stopping = host.stop(60_000).then(() => {
    stopped = true;
  });
  const refused = await until("the port to be closed", () =>
    fetch(host.origin).then(
      () => false,
      () => true,
    ),
  );
  expect([refused, stopped, await count(queue)]).toEqual([true, false, 1]);
  await release(helper.origin, key);
  await stopping;
  expect(await count(queue)).toBe(0);
});

test("a stop that has waited long enough leaves the message to the next start", async () => {
  const queue = await makeQueue();
  const queuePace = { leaseMilliseconds: 1_000, pollMilliseconds: 100 };
  const host = await start({ queueName: queue.name, queuePace });
  const key = `hold-${randomUUID()}`;
  await queue.sendMessage(base64(key));
  await firstRun(host, key);
  await host.stop(100);
  expect(await count(queue)).toBe(1);
  await release((await start()).origin, key);
});
