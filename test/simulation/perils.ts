import { AsyncLocalStorage } from "node:async_hooks";
import type { PipelinePolicy, PipelineRequest } from "@azure/core-rest-pipeline";
import { DomainError } from "../../shared/errors.ts";
import { unreachable } from "../integration/operations/support/faults.ts";
import type { Chance } from "./chance.ts";

/** What befalls the service: it dies at any of its storage calls, and storage does not do what it should for a while. */

/** How it dies at a call, or lives on with the call made twice. */
const fates = ["beforeTheCall", "afterTheCall", "twice"] as const;

type Fate = { readonly fate: (typeof fates)[number]; callsLeft: number; dead: boolean };

export type Outcome<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "died" };

export type Perils = {
  readonly policy: PipelinePolicy;
  /**
   * Runs `work`, which may die at one of its first `mostCalls` storage calls: nothing that it calls from there on arrives, and nobody hears
   * its answer. A storage that does not answer in time, as on a machine that does too much, is one more way to die. Throws what `work` throws else.
   */
  readonly risk: <T>(chance: Chance, mostCalls: number, work: () => Promise<T>) => Promise<Outcome<T>>;
  /** Storage refuses what `hits` is true of until the function that it gives is called. */
  readonly refuse: (hits: (request: PipelineRequest) => boolean) => () => void;
  /** Whether anything is refused just now. */
  readonly isRefusing: () => boolean;
  readonly counts: {
    readonly calls: number;
    readonly deaths: number;
    readonly repeated: number;
    readonly refused: number;
    readonly unanswered: number;
  };
};

/** `rate` is how likely a piece of work meets its fate, if it calls often enough. */
export function perilsOf(rate: number): Perils {
  const running = new AsyncLocalStorage<Fate>();
  const refusals = new Set<(request: PipelineRequest) => boolean>();
  const counts = { calls: 0, deaths: 0, repeated: 0, refused: 0, unanswered: 0 };

  const diedOf = (error: unknown): boolean => {
    if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(diedOf);
    if (!(error instanceof DomainError) || error.code !== "ServiceUnavailable") return false;
    counts.unanswered += 1;
    return true;
  };

  const sendRequest: PipelinePolicy["sendRequest"] = async (request, next) => {
    counts.calls += 1;
    const fate = running.getStore();
    if (fate?.dead) throw unreachable(request);
    if ([...refusals].some((hits) => hits(request))) {
      counts.refused += 1;
      throw unreachable(request);
    }
    if (fate === undefined || --fate.callsLeft !== 0) return await next(request);
    if (fate.fate === "twice") {
      counts.repeated += 1;
      await next(request);
      return await next(request);
    }
    fate.dead = true;
    counts.deaths += 1;
    if (fate.fate === "afterTheCall") await next(request);
    throw unreachable(request);
  };

  return {
    policy: { name: "perils", sendRequest },
    risk: async (chance, mostCalls, work) => {
      const isSafe = !chance.happens(rate);
      // Evenly over magnitudes: the first calls decide the most, and a timer may make hundreds.
      const callsLeft = isSafe ? Number.POSITIVE_INFINITY : Math.ceil(mostCalls ** chance.unit());
      const fate: Fate = { fate: isSafe ? "twice" : chance.pick(fates), callsLeft, dead: false };
      try {
        const value = await running.run(fate, work);
        return fate.dead ? { kind: "died" } : { kind: "done", value };
      } catch (error) {
        if (fate.dead || (refusals.size === 0 && diedOf(error))) return { kind: "died" };
        throw error;
      }
    },
    refuse: (hits) => {
      refusals.add(hits);
      return () => void refusals.delete(hits);
    },
    isRefusing: () => refusals.size > 0,
    counts,
  };
}
