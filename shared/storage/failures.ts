import { isRestError, type RestError } from "@azure/core-rest-pipeline";
import * as z from "zod";
import { DomainError } from "../errors.ts";

/**
 * What the Azure SDKs throw, read once: a storage that cannot answer becomes `ServiceUnavailable`, and the answers that
 * operations decide on (absent, already there, changed meanwhile) are told apart by name.
 */

const defaultRetryAfterSeconds = 5;
const longestRetryAfterSeconds = 60;

/** Our own credential or rights are at fault at 401 and 403: that is an outage of ours, never the caller's doing. */
const outageStatuses: readonly number[] = [401, 403, 408, 429];

/** A name that was deleted cannot be used again for half a minute. */
const passingStates: readonly string[] = ["ContainerBeingDeleted", "QueueBeingDeleted", "TableBeingDeleted"];

/**
 * `ServiceUnavailable` where storage could not be reached, did not answer in time, was busy or refused us; any other
 * error as it came. Use as `throw asServiceUnavailable(error)`.
 */
export function asServiceUnavailable(error: unknown): unknown {
  return isOutage(error) ? serviceUnavailable(error) : error;
}

/** `ServiceUnavailable` because of `cause`, which the caller is not told. */
export function serviceUnavailable(cause: unknown): DomainError {
  const retryAfterSeconds = retryAfter(cause);
  return new DomainError(
    "ServiceUnavailable",
    `The service is not available at the moment. Send the request again in ${retryAfterSeconds} seconds.`,
    { cause, retryAfterSeconds },
  );
}

/** Runs `work` and turns an outage of storage into `ServiceUnavailable`. */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asServiceUnavailable(error);
  }
}

/** Whether storage answered that the thing is not there. */
export const isNotFound = (error: unknown): boolean => hasStatus(error, 404);

/** Whether storage answered that the thing is already there or in a state that forbids the call. */
export const isConflict = (error: unknown): boolean => hasStatus(error, 409);

/** Whether a condition of the call (an ETag, mostly) no longer held. */
export const isPreconditionFailed = (error: unknown): boolean => hasStatus(error, 412);

/** Whether storage gave one of these error codes, such as `ContainerBeingDeleted`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  if (!isRestError(error)) return false;
  return codesOf(error).some((code) => codes.includes(code));
}

function hasStatus(error: unknown, status: number): boolean {
  return isRestError(error) && error.statusCode === status;
}

/** Blob and queue put their code on the error or in a header, tables in the parsed body. */
function codesOf(error: RestError): readonly string[] {
  const inBody = z.object({ odataError: z.object({ code: z.string() }) }).safeParse(error.details);
  const candidates = [
    error.code,
    error.response?.headers.get("x-ms-error-code"),
    inBody.success ? inBody.data.odataError.code : undefined,
  ];
  return candidates.filter((code) => code !== undefined);
}

function isOutage(error: unknown): boolean {
  if (hasCode(error, ...passingStates)) return true;
  if (isRestError(error)) {
    const status = error.statusCode;
    return status === undefined || status >= 500 || status < 400 || outageStatuses.includes(status);
  }
  return error instanceof Error && (isInterrupted(error) || isConnectionError(error) || isSignInFailure(error));
}

/** Our time limits abort; the SDK and the platform name that differently. */
const isInterrupted = (error: Error): boolean => error.name === "AbortError" || error.name === "TimeoutError";

const connectionErrors = ["ECONNRESET", "ECONNREFUSED", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN"];

/** A body stream that breaks throws the socket's own error. */
const isConnectionError = (error: Error): boolean =>
  "code" in error && typeof error.code === "string" && connectionErrors.includes(error.code);

/** `@azure/identity` could not get a token for the service itself. */
const isSignInFailure = (error: Error): boolean =>
  ["CredentialUnavailableError", "AuthenticationError", "AggregateAuthenticationError"].includes(error.name);

function retryAfter(error: unknown): number {
  const asked = isRestError(error) ? Number(error.response?.headers.get("retry-after")) : Number.NaN;
  return asked >= 1 && asked <= longestRetryAfterSeconds ? Math.ceil(asked) : defaultRetryAfterSeconds;
}
