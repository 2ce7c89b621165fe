import { createHttpHeaders, createPipelineRequest, RestError } from "@azure/core-rest-pipeline";
import { describe, expect, it } from "vitest";
import { DomainError } from "../../../shared/errors.ts";
import {
  asServiceUnavailable,
  hasCode,
  isConflict,
  isNotFound,
  isPreconditionFailed,
  orUnavailable,
} from "../../../shared/storage/failures.ts";

const answered = (statusCode: number, headers: Record<string, string> = {}) => {
  const request = createPipelineRequest({ url: "https://account.example/container" });
  const response = { request, status: statusCode, headers: createHttpHeaders(headers) };
  return new RestError("storage said no", { statusCode, request, response });
};
const named = (name: string) => Object.assign(new Error("failed"), { name });

describe("an outage of storage", () => {
  it.each([
    ["a status 500", answered(500)],
    ["a status 503", answered(503)],
    ["a throttled call", answered(429)],
    ["a slow call", answered(408)],
    ["a name that is being deleted", answered(409, { "x-ms-error-code": "TableBeingDeleted" })],
    ["our own rights missing", answered(403)],
    ["our own token refused", answered(401)],
    ["a refused connection", new RestError("connect ECONNREFUSED", { code: "ECONNREFUSED" })],
    ["an answer cut short", new RestError("unreadable", { code: RestError.PARSE_ERROR, statusCode: 200 })],
    ["our time limit", named("AbortError")],
    ["a platform time limit", named("TimeoutError")],
    ["a body that breaks off", Object.assign(new Error("aborted"), { code: "ECONNRESET" })],
    ["no token for the service itself", named("CredentialUnavailableError")],
  ])("%s is ServiceUnavailable and says nothing of the inside", (_, error) => {
    const failure = asServiceUnavailable(error);
    expect(failure).toBeInstanceOf(DomainError);
    expect(failure).toMatchObject({ code: "ServiceUnavailable", retryAfterSeconds: 5, cause: error });
    expect(String(failure)).not.toContain(error.message);
  });

  it("passes on the wait that storage asks for, within reason", () => {
    expect(asServiceUnavailable(answered(503, { "retry-after": "7" }))).toMatchObject({ retryAfterSeconds: 7 });
    expect(asServiceUnavailable(answered(503, { "retry-after": "86400" }))).toMatchObject({ retryAfterSeconds: 5 });
  });

  it.each([
    ["absent", answered(404)],
    ["a conflict", answered(409)],
    ["changed meanwhile", answered(412)],
    ["a malformed call", answered(400)],
    ["a mistake in our code", new TypeError("undefined is not a function")],
    ["a refusal", new DomainError("NotFound", "There is no such bundle.")],
  ])("is not what %s is: that error passes as it came", async (_, error) => {
    expect(asServiceUnavailable(error)).toBe(error);
    await expect(orUnavailable(() => Promise.reject(error))).rejects.toBe(error);
  });
});

describe("an answer of storage", () => {
  it("is told by its status", () => {
    expect([isNotFound, isConflict, isPreconditionFailed].map((is) => is(answered(404)))).toEqual([true, false, false]);
    expect([isNotFound, isConflict, isPreconditionFailed].map((is) => is(answered(409)))).toEqual([false, true, false]);
    expect([isNotFound, isConflict, isPreconditionFailed].map((is) => is(answered(412)))).toEqual([false, false, true]);
  });

  it("is told by its code, wherever the SDK puts it", () => {
    const inBody = Object.assign(answered(409), { details: { odataError: { code: "EntityAlreadyExists" } } });
    const inHeader = answered(404, { "x-ms-error-code": "ContainerNotFound" });
    const onError = new RestError("busy", { statusCode: 409, code: "ContainerBeingDeleted" });
    expect(hasCode(inBody, "EntityAlreadyExists")).toBe(true);
    expect(hasCode(inHeader, "BlobNotFound", "ContainerNotFound")).toBe(true);
    expect(hasCode(onError, "ContainerBeingDeleted")).toBe(true);
    expect(hasCode(onError, "ContainerNotFound")).toBe(false);
    expect(hasCode(new Error("ContainerBeingDeleted"), "ContainerBeingDeleted")).toBe(false);
  });
});
