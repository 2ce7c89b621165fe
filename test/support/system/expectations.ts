import { expect } from "vitest";
import type { Answer } from "./http.ts";
import { errorShape } from "./shapes.ts";

/** What every answer of the contract has in common. */

/** Fails with the answer's own words where the status is another; gives the answer. */
export function expectStatus(answer: Answer, status: number): Answer {
  expect(answer.status, answer.text.slice(0, 2000)).toBe(status);
  return answer;
}

/** A refusal as `API.md` says: status, code in body and header, a message, a request id. Gives the error. */
export function expectRefusal(answer: Answer, status: number, code: string) {
  expect({ status: answer.status, code: answer.headers["x-ms-error-code"] }, answer.text.slice(0, 2000)).toEqual({
    status,
    code,
  });
  const { error } = errorShape.parse(answer.json);
  expect(error.code).toBe(code);
  expect(error.message.trim().length).toBeGreaterThan(10);
  expect(answer.headers["content-type"]).toMatch(/^application\/json/);
  expect(answer.headers["x-ms-request-id"]).toMatch(/\S/);
  if (status === 401) expect(answer.headers["www-authenticate"]).toMatch(/\S/);
  if (status === 429 || status === 503) expect(answer.headers["retry-after"]).toMatch(/^\d+$/);
  return error;
}
