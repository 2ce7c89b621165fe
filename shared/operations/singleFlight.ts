import { randomUUID } from "node:crypto";
import { toUtcTime } from "../api/primitives.ts";
import { type Claims, type Clock, HeadMoved, type Log } from "./needs.ts";

/**
 * One at a time, over all instances: whoever works on something holds a claim on it, renews the claim while working and gives it up at the end. The
 * claim of a holder that died expires. A claim saves work twice; it guards nothing, so a holder that was paused past its claim does no harm.
 */
export type SingleFlight = {
  /** Runs `work` unless it is under way elsewhere. Gives until when to wait for the other holder; undefined where `work` ran. */
  readonly run: (name: string, work: () => Promise<void>) => Promise<Date | undefined>;
};

const claimMs = 60_000;
const renewEveryMs = claimMs / 3;

type Needs = { readonly claims: Claims; readonly clock: Clock; readonly log: Pick<Log, "error"> };

export function openSingleFlight({ claims, clock, log }: Needs): SingleFlight {
  const holder = randomUUID();
  const running = new Set<string>();
  const fresh = () => ({ holder, expiresOn: toUtcTime(new Date(clock.now().getTime() + claimMs)) });
  const inAWhile = () => new Date(clock.now().getTime() + claimMs);

  /** The claim's ETag, or until when another holds it. A claim of this instance that nothing runs under is left over from a lost answer. */
  async function take(name: string): Promise<string | Date> {
    const inserted = await claims.insert(name, fresh());
    if (inserted !== undefined) return inserted;
    const standing = await claims.read(name);
    if (standing === undefined) return inAWhile();
    const isFree = standing.holder === holder || Date.parse(standing.expiresOn) <= clock.now().getTime();
    if (!isFree) return new Date(standing.expiresOn);
    try {
      return await claims.replace(name, fresh(), standing.etag);
    } catch (error) {
      if (error instanceof HeadMoved) return inAWhile();
      throw error;
    }
  }

  async function whileClaimed(name: string, first: string, work: () => Promise<void>): Promise<void> {
    let etag = first;
    let renewing = Promise.resolve();
    const renew = async () => {
      try {
        etag = await claims.replace(name, fresh(), etag);
      } catch (error) {
        log.error("claim.notRenewed", error, { name });
      }
    };
    const timer = setInterval(() => {
      renewing = renewing.then(renew);
    }, renewEveryMs);
    try {
      await work();
    } finally {
      clearInterval(timer);
      await renewing;
      await claims.remove(name, etag).catch((error: unknown) => log.error("claim.notReleased", error, { name }));
    }
  }

  return {
    run: async (name, work) => {
      if (running.has(name)) return inAWhile();
      running.add(name);
      try {
        const taken = await take(name);
        if (taken instanceof Date) return taken;
        await whileClaimed(name, taken, work);
        return undefined;
      } finally {
        running.delete(name);
      }
    },
  };
}
