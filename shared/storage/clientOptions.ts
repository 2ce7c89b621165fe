import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { countRoundTrip } from "../trace.ts";

/**
 * How every storage client calls: a few quick tries and a short wait, so that an outage is a 503 in seconds rather
 * than a request that hangs for minutes. The names serve the table SDK (`maxRetries`) and the blob and queue SDKs
 * (`maxTries`) alike.
 */
const retryOptions = { maxRetries: 2, maxTries: 3, retryDelayInMs: 250, maxRetryDelayInMs: 1_000 } as const;

/** Milliseconds within which storage must begin to answer one try. */
const answerWithinMs = 10_000;

/** Gives up on a storage that accepts a call and stays silent: the SDKs by themselves wait without end. */
const answerInTime: PipelinePolicy = {
  name: "answerInTime",
  sendRequest: (request, next) => {
    if (request.timeout === 0) request.timeout = answerWithinMs;
    return next(request);
  },
};

const counted: PipelinePolicy = {
  name: "counted",
  sendRequest: (request, next) => {
    countRoundTrip();
    return next(request);
  },
};

/** The policies of every storage client: ours, then those handed in (a test counts round trips with one). */
export const storagePolicies = (extra: readonly PipelinePolicy[] = []): readonly PipelinePolicy[] => [
  answerInTime,
  counted,
  ...extra,
];

/**
 * Options for a client of any of the storage SDKs. Blob and queue clients share one pipeline among all clients made from
 * a service client, where `additionalPolicies` would be added twice: give those `retryOptions` alone and add
 * `storagePolicies` once (see `blobs/service.ts`).
 */
export const clientOptions = (policies: readonly PipelinePolicy[] = []) => ({
  retryOptions,
  additionalPolicies: storagePolicies(policies).map((policy) => ({ policy, position: "perRetry" as const })),
});
