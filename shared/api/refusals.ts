import * as z from "zod";
import { errorCodes } from "../errors.ts";
import { errorHeaders } from "./headers.ts";
import type { Route } from "./route.ts";
import { type RefusalStatus, statusOf } from "./status.ts";

/** What a route may refuse, by status: each code stands under the status that it is answered with. */

const told: Readonly<Record<RefusalStatus, { readonly id: string; readonly description: string }>> = {
  400: { id: "BadRequest", description: "Something in path, query or body is not as documented; target names it." },
  401: { id: "Unauthorized", description: "No credential, or one that is not accepted." },
  403: { id: "Forbidden", description: "The credential is good, and the caller may not do this." },
  404: { id: "NotFound", description: "It is not there, or the caller may not know of it." },
  409: { id: "Conflict", description: "What stands already does not allow it." },
  411: { id: "LengthRequired", description: "The body came without its length." },
  412: { id: "PreconditionFailed", description: "If-Match or If-None-Match is not met." },
  413: { id: "ContentTooLarge", description: "The body has more than 16 KiB." },
  415: { id: "UnsupportedMediaType", description: "The body is not application/json, or it is encoded." },
  429: { id: "TooManyRequests", description: "A limit on rates; send it again after Retry-After." },
  500: { id: "InternalServerError", description: "The service failed; it is safe to send the request again." },
  503: { id: "ServiceUnavailable", description: "The service cannot answer now; send it again after Retry-After." },
};

export const refusalStatuses: readonly RefusalStatus[] = [...new Set(Object.values(statusOf))].sort((a, b) => a - b);

const detail = z.object({ code: z.string(), message: z.string(), target: z.string().optional() });

const envelope = (code: z.ZodType<string>) =>
  z.object({
    error: z.object({
      code,
      message: z.string().describe("What to do next."),
      target: z.string().optional(),
      details: z.array(detail).optional(),
    }),
  });

const responseOf = (status: RefusalStatus) => {
  const { id, description } = told[status];
  const codes = errorCodes.filter((code) => statusOf[code] === status);
  const schema = envelope(z.enum(codes)).meta({ id: `${id}Error` });
  return { id, description, headers: errorHeaders(status), content: { "application/json": { schema } } };
};

/** Made once, so that the document has each under `components` and a reference wherever it may be answered. */
const responses = new Map(refusalStatuses.map((status) => [status, responseOf(status)]));

const anyRefusal = {
  id: "Refusal",
  description: "A refusal or failure of any other status; the same code is in x-ms-error-code.",
  headers: errorHeaders(undefined),
  content: { "application/json": { schema: envelope(z.string()).meta({ id: "ErrorResponse" }) } },
};

/** Who needs no credential meets none of these. */
const onlyToCallers: readonly RefusalStatus[] = [401, 403, 409, 429];

export function refusalsOf({ who, verb }: Pick<Route, "who" | "verb">) {
  const possible = refusalStatuses.filter(
    (status) => (who !== "anyone" || !onlyToCallers.includes(status)) && (verb === "PUT" || status !== 412),
  );
  return { ...Object.fromEntries(possible.map((status) => [status, responses.get(status)])), default: anyRefusal };
}
