import * as z from "zod";

/** The headers that the document names, of requests and of answers (`API.md`, the paragraphs before the table). */

const asked = (id: string, description: string) => z.string().optional().meta({ param: { id, description } });

export const requestHeaders = {
  ifMatch: asked(
    "IfMatch",
    "The ETag that the change is made against; 412 ConditionNotMet where it is another by now.",
  ),
  ifNoneMatch: asked(
    "IfNoneMatch",
    "On GET, the ETag that the reader has: 304 where it is still that. On PUT, one that must not stand, `*` for any: 412 ConditionNotMet where it does.",
  ),
  clientRequestId: asked("ClientRequestId", "Echoed in the answer up to 128 printable ASCII characters, else ignored."),
};

const requestId = z.guid().meta({ header: { id: "RequestId", description: "Of this answer alone." } });
const etag = z.string().meta({ header: { id: "ETag", description: "Names what the resource says now." } });
const errorCode = z.string().meta({ header: { id: "ErrorCode", description: "The code in the body." } });
const operationLocation = z.url().meta({
  header: { id: "OperationLocation", description: "Where to ask how it stands, absolute." },
});
const retryAfter = z
  .string()
  .optional()
  .meta({ header: { id: "RetryAfter", description: "Seconds after which to try, or to ask, again." } });
const challenge = z
  .string()
  .optional()
  .meta({ header: { id: "Challenge", description: "With a 401: the credentials that are taken." } });

/** By the kind of answer. */
export const answerHeaders = {
  plain: z.object({ "x-ms-request-id": requestId }),
  resource: z.object({ "x-ms-request-id": requestId, ETag: etag }),
  begun: z.object({
    "x-ms-request-id": requestId,
    "Operation-Location": operationLocation,
    "Retry-After": retryAfter,
  }),
};

/** Of a refusal of this status; of any, where none is named. */
export const errorHeaders = (status: number | undefined) =>
  z.object({
    "x-ms-request-id": requestId,
    "x-ms-error-code": errorCode,
    ...(status === undefined || status === 429 || status === 503 ? { "Retry-After": retryAfter } : {}),
    ...(status === undefined || status === 401 ? { "WWW-Authenticate": challenge } : {}),
  });
