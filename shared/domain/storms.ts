import type { BundleRequest } from "../api/bundles.ts";
import { DomainError } from "../errors.ts";
import { countedOn, lastFor, type StampLoad } from "./load.ts";
import { addDays, startOfDay, utcDay } from "./utcDay.ts";

/**
 * How much one stamp, and all of them, may send: small named rules, each with its verdict; the refusal names the rule. They are asked of new
 * bundles only: what was created is never taken back by them.
 */

/** What is configured (`shared/settings.ts`). */
export type Limits = {
  readonly openUploads: number;
  readonly bundlesPerDay: number;
  readonly bytesPerDay: number;
  readonly sameFaultQuietMinutes: number;
  readonly serviceBytesPerDay: number;
};

/** Who goes first when it gets tight: what an open case waits for, then what a person asked for, then what a machine began. */
export type Rank = "proactive" | "sendNow" | "caseLinked";

/** The share of each limit that a rank may use, so that lower ones leave room for higher ones. */
const shares: Readonly<Record<Rank, number>> = { proactive: 0.5, sendNow: 0.8, caseLinked: 1 };

export type Question = {
  readonly rank: Rank;
  readonly sizeBytes: number;
  /** The fault that raised it, where one did. */
  readonly faultId: string | undefined;
  readonly load: StampLoad;
  /** Bytes that the whole service has been asked to take today, as far as is known. */
  readonly serviceBytes: number;
  readonly limits: Limits;
  readonly now: Date;
};

type Refusal = { readonly message: string; readonly retryAfterSeconds: number };
export type StormRule = { readonly name: string; readonly refuses: (question: Question) => Refusal | undefined };
export type StormRefusal = Refusal & { readonly rule: string };

/** Nobody can tell when the next upload ends; five minutes is about that of a bundle on a good line. */
const lookAgainSeconds = 5 * 60;

export const openUploads: StormRule = {
  name: "openUploads",
  refuses: ({ rank, load, limits }) => {
    const most = shareOf(limits.openUploads, rank);
    if (load.openUploads < most) return undefined;
    return {
      message: `The stamp has ${load.openUploads} uploads open, and ${most} are allowed ${inWords[rank]}. Submit or cancel one of them first.`,
      retryAfterSeconds: lookAgainSeconds,
    };
  },
};

export const bundlesPerDay: StormRule = {
  name: "bundlesPerDay",
  refuses: ({ rank, load, limits, now }) => {
    const most = shareOf(limits.bundlesPerDay, rank);
    const { bundles } = countedOn(load, utcDay(now));
    if (bundles < most) return undefined;
    return {
      message: `The stamp has begun ${bundles} bundles today, and ${most} a day are allowed ${inWords[rank]}. Go on after midnight UTC.`,
      retryAfterSeconds: secondsToMidnight(now),
    };
  },
};

export const bytesPerDay: StormRule = {
  name: "bytesPerDay",
  refuses: ({ rank, load, limits, now, sizeBytes }) => {
    const most = shareOf(limits.bytesPerDay, rank);
    const { bytes } = countedOn(load, utcDay(now));
    // The first of a day may be of any size that a bundle may have: else one that is larger than the share could never be sent.
    if (bytes === 0 || bytes + sizeBytes <= most) return undefined;
    return {
      message: `The stamp has begun ${bytes} bytes today; ${sizeBytes} more are over the ${most} a day that are allowed ${inWords[rank]}. Go on after midnight UTC, or collect fewer roles or a shorter window.`,
      retryAfterSeconds: secondsToMidnight(now),
    };
  },
};

/** The logs of one fault say the same again minutes later. What a person or a case asks for is not asked. */
export const sameFault: StormRule = {
  name: "sameFault",
  refuses: ({ rank, faultId, load, limits, now }) => {
    const last = rank === "proactive" && faultId !== undefined ? lastFor(load, faultId) : undefined;
    if (last === undefined) return undefined;
    const quietUntil = Date.parse(last) + limits.sameFaultQuietMinutes * 60_000;
    if (quietUntil <= now.getTime()) return undefined;
    return {
      message: `A bundle for this fault was begun on ${last}; the next is taken ${limits.sameFaultQuietMinutes} minutes later. To send logs before, an operator sends them (mode sendNow).`,
      retryAfterSeconds: Math.ceil((quietUntil - now.getTime()) / 1000),
    };
  },
};

export const serviceBudget: StormRule = {
  name: "serviceBudget",
  refuses: ({ rank, limits, now, serviceBytes, sizeBytes }) => {
    if (serviceBytes + sizeBytes <= shareOf(limits.serviceBytesPerDay, rank)) return undefined;
    return {
      message: `The service has been asked to take all that it takes in a day ${inWords[rank]}. Keep the bundle, and go on after midnight UTC.`,
      retryAfterSeconds: secondsToMidnight(now),
    };
  },
};

export const stormRules: readonly StormRule[] = [openUploads, bundlesPerDay, bytesPerDay, sameFault, serviceBudget];

/** The refusal of the first rule that refuses; undefined where none does. */
export function stormRefusal(question: Question): StormRefusal | undefined {
  for (const { name, refuses } of stormRules) {
    const refusal = refuses(question);
    if (refusal !== undefined) return { rule: name, ...refusal };
  }
  return undefined;
}

/** The refusal as its caller sees it: the rule's name stands in the message and in the details. */
export const tooManyRequests = ({ rule, message, retryAfterSeconds }: StormRefusal): DomainError =>
  new DomainError("TooManyRequests", `Refused by the rule ${rule}. ${message}`, {
    retryAfterSeconds,
    details: [{ code: rule, message }],
  });

/** The rank of a request whose claim to a case is not looked at yet. */
export const plainRank = ({ mode }: Pick<BundleRequest, "mode">): Rank =>
  mode === "proactive" ? "proactive" : "sendNow";

const inWords: Readonly<Record<Rank, string>> = {
  proactive: "for proactive collection",
  sendNow: "for what an operator sends",
  caseLinked: "in all",
};

/** Rounded up, so that a limit of one lets everybody send one. */
const shareOf = (limit: number, rank: Rank): number => Math.ceil(limit * shares[rank]);

const secondsToMidnight = (now: Date): number =>
  Math.ceil((startOfDay(addDays(utcDay(now), 1)).getTime() - now.getTime()) / 1000);
