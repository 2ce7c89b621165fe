import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
  type RemoteJWKSet,
} from "jose";
import { DomainError } from "../errors.ts";

const minute = 60_000;

/** Milliseconds that fetched keys are used without asking again: a key that the issuer withdrew works at most this long. */
const freshMs = 10 * minute;
/** Milliseconds that they are used while the issuer does not answer, since it last did. */
const staleMs = 24 * 60 * minute;
/** Milliseconds between two questions to the issuer, answered or not: with keys at hand, and without any. */
const pauseMs = { withKeys: 30_000, withoutKeys: 5_000 };
/** Milliseconds to wait for an answer. */
const timeoutMs = 5_000;

type Key = Awaited<ReturnType<RemoteJWKSet>>;
type IssuerKeySource = {
  readonly url: string;
  /** Real time. */
  readonly now: () => Date;
  readonly fetch?: FetchImplementation;
};

/**
 * The keys that an issuer publishes. One that it does not hold yet, as after a rotation, is asked for after a pause. Throws
 * `ServiceUnavailable` where a token cannot be judged because the issuer did not answer.
 */
export function issuerKeys({ url, now, fetch }: IssuerKeySource): JWTVerifyGetKey {
  // The library fetches and parses; when is decided here, as it takes no pause after a failure and drops its keys with age.
  const keySet = createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
    ...(fetch === undefined ? {} : { [customFetch]: fetch }),
  });
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let askedAt = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  let asking: Promise<void> | undefined;

  const ask = async (): Promise<void> => {
    askedAt = now().getTime();
    try {
      await keySet.reload();
      fetchedAt = askedAt;
      failure = undefined;
    } catch (error) {
      failure = error;
    } finally {
      asking = undefined;
    }
  };
  const age = () => now().getTime() - fetchedAt;
  /** Requests at the same moment share one question, and wait for its answer. */
  const askAgain = async (): Promise<void> => {
    const pause = age() < staleMs ? pauseMs.withKeys : pauseMs.withoutKeys;
    if (asking === undefined && now().getTime() - askedAt >= pause) asking = ask();
    await asking;
  };

  /** Undefined where none of the keys is the token's. */
  const select: (...given: Parameters<JWTVerifyGetKey>) => Promise<Key | undefined> = async (header, token) => {
    try {
      return await keySet(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined;
      throw faultsOfToken.some((fault) => error instanceof fault) ? error : unavailable(error);
    }
  };

  return async (header, token) => {
    if (age() >= freshMs) await askAgain();
    if (age() >= staleMs) throw unavailable(failure);
    const found = await select(header, token);
    if (found !== undefined) return found;
    await askAgain();
    if (failure !== undefined) throw unavailable(failure);
    const fetched = await select(header, token);
    if (fetched === undefined) throw new errors.JWKSNoMatchingKey();
    return fetched;
  };
}

/** Errors that the token is to blame for; any other means that we have no keys to judge it by. */
const faultsOfToken = [errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];

const unavailable = (cause: unknown) =>
  new DomainError(
    "ServiceUnavailable",
    "The token issuer's keys cannot be fetched at the moment. Send the request again in a few seconds.",
    { cause, retryAfterSeconds: pauseMs.withoutKeys / 1000 },
  );
