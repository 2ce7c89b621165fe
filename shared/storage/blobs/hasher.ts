import { Worker } from "node:worker_threads";

/** SHA-256 in a thread of its own, so that hashing and receiving do not wait for each other. */
export type Hasher = {
  /** Hashes the chunks in order and takes their memory: they are empty afterwards. Resolves when it is done. */
  readonly update: (chunks: readonly Uint8Array<ArrayBuffer>[]) => Promise<void>;
  /** The digest of everything so far, lower-case hex. */
  readonly digest: () => Promise<string>;
  readonly [Symbol.dispose]: () => void;
};

type Request = { readonly hasher: number } & (
  | { readonly type: "update"; readonly chunks: readonly Uint8Array<ArrayBuffer>[] }
  | { readonly type: "digest" }
  | { readonly type: "forget" }
);

/** The process's one hashing thread; each request gets one answer, in order. */
type HashThread = {
  readonly ask: (request: Request, memory?: readonly ArrayBuffer[]) => Promise<unknown>;
  readonly ended: () => boolean;
};

let thread: HashThread | undefined;
let hashers = 0;

/** Opens a hash; the thread starts with the first and stays, for starting it costs more than hashing a small bundle. */
export function openHasher(): Hasher {
  if (thread === undefined || thread.ended()) thread = startThread();
  const { ask } = thread;
  const hasher = hashers++;
  return {
    update: async (chunks) => {
      const memory = chunks.map(({ buffer }) => buffer);
      await ask({ hasher, type: "update", chunks }, memory);
    },
    digest: async () => String(await ask({ hasher, type: "digest" })),
    [Symbol.dispose]: () => {
      ask({ hasher, type: "forget" }).catch(() => {});
    },
  };
}

/** The thread makes next to no garbage, so a small young generation keeps its memory small. */
const threadLimits = { maxYoungGenerationSizeMb: 4 };

function startThread(): HashThread {
  const worker = new Worker(`(${hashInThread})()`, { eval: true, resourceLimits: threadLimits });
  const waiting: PromiseWithResolvers<unknown>[] = [];
  let failure: Error | undefined;
  const end = (error: Error): void => {
    failure ??= error;
    for (const answer of waiting.splice(0)) answer.reject(failure);
  };
  worker.on("error", end);
  worker.on("exit", () => end(new Error("the hashing thread has ended")));
  worker.on("message", (answer: unknown) => {
    waiting.shift()?.resolve(answer);
    // Only a hash under way keeps the process from ending.
    if (waiting.length === 0) worker.unref();
  });
  return {
    ended: () => failure !== undefined,
    ask: (request, memory = []) => {
      if (failure !== undefined) return Promise.reject(failure);
      const answer = Promise.withResolvers<unknown>();
      waiting.push(answer);
      worker.ref();
      worker.postMessage(request, memory);
      return answer.promise;
    },
  };
}

/** What the thread runs. It is sent as text, so it uses nothing from outside its braces, and names no function for a bundler to mark. */
function hashInThread(): void {
  const { createHash } = process.getBuiltinModule("node:crypto");
  const { parentPort } = process.getBuiltinModule("node:worker_threads");
  const hashes = new Map<number, ReturnType<typeof createHash>>();
  parentPort?.on("message", (request: Request) => {
    const hash = hashes.get(request.hasher) ?? createHash("sha256");
    hashes.set(request.hasher, hash);
    if (request.type === "update") {
      for (const chunk of request.chunks) {
        hash.update(chunk);
        // Given back at once: the garbage collector would let hundreds of MiB gather first.
        chunk.buffer.transfer(0);
      }
    }
    if (request.type === "forget") hashes.delete(request.hasher);
    parentPort.postMessage(request.type === "digest" ? hash.copy().digest("hex") : "done");
  });
}
