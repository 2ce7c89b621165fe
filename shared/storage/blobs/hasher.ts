import { Worker } from "node:worker_threads";

/** SHA-256 in a thread of its own, so that hashing and receiving do not wait for each other. */
export type Hasher = {
  /** Hashes the chunks in order and takes their memory: they are empty afterwards. Resolves when it is done. */
  readonly update: (chunks: readonly Uint8Array<ArrayBuffer>[]) => Promise<void>;
  /** The digest of everything so far, lower-case hex. */
  readonly digest: () => Promise<string>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** The worker's young generation stays small: it makes next to no garbage, and a thread's memory counts. */
const workerLimits = { maxYoungGenerationSizeMb: 4 };

export function openHasher(): Hasher {
  const worker = new Worker(`(${hashInWorker})()`, { eval: true, resourceLimits: workerLimits });
  const waiting: PromiseWithResolvers<unknown>[] = [];
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
    for (const answer of waiting.splice(0)) answer.reject(failure);
  };
  worker.on("message", (answer: unknown) => waiting.shift()?.resolve(answer));
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("the hashing thread has ended")));

  const ask = (request: unknown, memory: ArrayBuffer[] = []): Promise<unknown> => {
    if (failure !== undefined) return Promise.reject(failure);
    const answer = Promise.withResolvers<unknown>();
    waiting.push(answer);
    worker.postMessage(request, memory);
    return answer.promise;
  };

  return {
    update: async (chunks) => {
      await ask(
        chunks,
        chunks.map(({ buffer }) => buffer),
      );
    },
    digest: async () => String(await ask("digest")),
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
    },
  };
}

/** What the worker runs. It is sent as text, so it uses nothing from outside its braces. */
function hashInWorker(): void {
  const { createHash } = process.getBuiltinModule("node:crypto");
  const { parentPort } = process.getBuiltinModule("node:worker_threads");
  const hash = createHash("sha256");
  parentPort?.on("message", (request: "digest" | readonly Uint8Array<ArrayBuffer>[]) => {
    if (request === "digest") {
      parentPort.postMessage(hash.copy().digest("hex"));
      return;
    }
    for (const chunk of request) {
      hash.update(chunk);
      // Given back at once: the garbage collector would let hundreds of MiB gather first.
      chunk.buffer.transfer(0);
    }
    parentPort.postMessage("hashed");
  });
}
