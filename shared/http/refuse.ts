import type { HttpResponseInit } from "@azure/functions";
import { DomainError } from "../errors.ts";
import { statusOf } from "./status.ts";

/** What the edge makes of anything thrown: a refusal of the contract, or an `InternalError` that reveals nothing. */
export function asRefusal(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  if (error instanceof AggregateError) return refusalOfAll(error);
  return new DomainError("InternalError", "The service failed. It is safe to send the request again.", {
    cause: error,
  });
}

/** Several items failed while the rest was done: one refusal where all of them have the same code. */
function refusalOfAll(error: AggregateError): DomainError {
  const [first, ...others] = error.errors.map(asRefusal);
  if (first !== undefined && others.every(({ code }) => code === first.code)) {
    const { retryAfterSeconds } = first;
    return new DomainError(first.code, first.message, {
      cause: error,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }
  return new DomainError("InternalError", "The service failed. It is safe to send the request again.", {
    cause: error,
  });
}

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
