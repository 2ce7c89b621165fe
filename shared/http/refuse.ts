import type { HttpResponseInit } from "@azure/functions";
import { statusOf } from "../api/status.ts";
import { DomainError } from "../errors.ts";

/** What the edge makes of anything thrown: a refusal of the contract, or an `InternalError` that reveals nothing. */
export function asRefusal(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  const common = error instanceof AggregateError ? commonRefusal(error.errors.map(asRefusal)) : undefined;
  const { code, message } = common ?? internalError;
  const retryAfter = common?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: common.retryAfterSeconds };
  return new DomainError(code, message, { cause: error, ...retryAfter });
}

const internalError = {
  code: "InternalError",
  message: "The service failed. It is safe to send the request again.",
} as const;

/** Of several items that failed while the rest was done: the first refusal, where all have its code. */
const commonRefusal = ([first, ...others]: readonly DomainError[]): DomainError | undefined =>
  others.every(({ code }) => code === first?.code) ? first : undefined;

/** The refusal of a route or a verb that the contract does not have. */
export const noSuchRoute = (): DomainError =>
  new DomainError("NotFound", "There is no such route, or not with this verb. GET /openapi.json lists them all.");

const defaultRetryAfterSeconds = 5;

/** The error envelope of the contract with its headers. */
export function refusalResponse(error: DomainError, challenge: string): HttpResponseInit {
  const status = statusOf[error.code];
  const headers: Record<string, string> = { "x-ms-error-code": error.code };
  if (status === 401) headers["www-authenticate"] = challenge;
  if (status === 429 || status === 503)
    headers["retry-after"] = String(error.retryAfterSeconds ?? defaultRetryAfterSeconds);
  return {
    status,
    headers,
    jsonBody: {
      error: {
        code: error.code,
        message: error.message,
        ...(error.target === undefined ? {} : { target: error.target }),
        ...(error.details.length === 0 ? {} : { details: error.details }),
      },
    },
  };
}
