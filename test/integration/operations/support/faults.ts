import { type PipelinePolicy, type PipelineRequest, RestError } from "@azure/core-rest-pipeline";

/** Storage that fails at a chosen call, as a policy in the clients' pipelines. */

/** What befalls the n-th call. The error is one that the SDKs do not try again by themselves, as if their tries were used up. */
export const faults = [
  /** It never arrives. */
  "refused",
  /** It is carried out, and its answer is lost. */
  "answerLost",
  /** It is carried out, its answer is lost, and the SDK sends it again by itself. */
  "sentTwice",
  /** It is carried out, its answer is lost, and no later call arrives: what a process that died there leaves behind. */
  "answerLostAndOutage",
] as const;
export type Fault = (typeof faults)[number];

export type StorageFaults = {
  readonly policy: PipelinePolicy;
  /** Runs `work` with storage that fails at its n-th call (from 1). */
  readonly during: <T>(fault: Fault, n: number, work: () => Promise<T>) => Promise<T>;
  /** Runs `work` and gives the calls that it made. */
  readonly watching: <T>(work: () => Promise<T>) => Promise<{ result: T; calls: readonly Call[] }>;
  /** Fails every call that `hits` is true of, from now on; `undefined` ends that. */
  readonly failWhere: (hits: ((request: PipelineRequest) => boolean) | undefined) => void;
  /** Holds back the next call that `hits` is true of, until it is let go. */
  readonly holdNext: (hits: (request: PipelineRequest) => boolean) => Hold;
};

export type Hold = { readonly reached: Promise<void>; readonly letGo: () => void };

export type Call = { readonly method: string; readonly path: string };

export function storageFaults(): StorageFaults {
  let armed: { fault: Fault; n: number } | undefined;
  let hits: ((request: PipelineRequest) => boolean) | undefined;
  let held: { hits: (request: PipelineRequest) => boolean; reach: () => void; go: Promise<void> } | undefined;
  /** Kept only while somebody watches: a stage may live long. */
  let watched: Call[] | undefined;

  const policy: PipelinePolicy = {
    name: "storageFaults",
    sendRequest: async (request, next) => {
      watched?.push(callOf(request));
      if (hits?.(request)) throw unreachable(request);
      if (held?.hits(request)) {
        const { reach, go } = held;
        held = undefined;
        reach();
        await go;
      }
      const calls = watched?.length ?? 0;
      if (armed === undefined || calls < armed.n) return await next(request);
      const { fault, n } = armed;
      const isTheOne = calls === n;
      if (!isTheOne && fault === "answerLostAndOutage") throw unreachable(request);
      if (!isTheOne) return await next(request);
      if (fault === "refused") throw unreachable(request);
      await next(request);
      if (fault === "sentTwice") return await next(request);
      throw unreachable(request);
    },
  };

  const running = async <T>(work: () => Promise<T>) => {
    const calls: Call[] = [];
    watched = calls;
    try {
      return { result: await work(), calls };
    } finally {
      watched = undefined;
      armed = undefined;
    }
  };

  return {
    policy,
    during: async (fault, n, work) => {
      armed = { fault, n };
      return (await running(work)).result;
    },
    watching: running,
    failWhere: (next) => {
      hits = next;
    },
    holdNext: (next) => {
      const reached = Promise.withResolvers<void>();
      const go = Promise.withResolvers<void>();
      held = { hits: next, reach: reached.resolve, go: go.promise };
      return { reached: reached.promise, letGo: go.resolve };
    },
  };
}

function callOf({ method, url }: PipelineRequest): Call {
  const { pathname, search } = new URL(url);
  return { method, path: `${pathname}${search.replace(/sig=[^&]*/, "")}` };
}

/** A storage that cannot be reached. */
export const unreachable = (request: PipelineRequest) =>
  new RestError(`out of reach: ${new URL(request.url).pathname}?sig=${secretOfErrors}`, {
    code: "EHOSTUNREACH",
    request,
  });

/** Stands in the errors of failing calls, as a signature may; nothing that anybody reads may hold it. */
export const secretOfErrors = "c2lnbmF0dXJl";
