import type { HttpResponseInit } from "@azure/functions";
import { type Condition, etagOf, isHeld } from "../domain/etag.ts";
import type { PageResult } from "../operations/paging.ts";
import { type CsvRow, csvOf } from "./csv.ts";

/** What a handler answers: made here so that every answer of a kind has the same status and headers. */
export type Answer =
  | {
      readonly kind: "resource";
      readonly status: 200 | 201 | 202;
      readonly body: object;
      readonly headers: Record<string, string>;
    }
  | { readonly kind: "page"; readonly page: PageResult<object> }
  | { readonly kind: "plain"; readonly body: object }
  | { readonly kind: "text"; readonly mediaType: string; readonly text: string }
  | { readonly kind: "nothing" };

const resourceWith = (status: 200 | 201 | 202, body: object, headers: Record<string, string> = {}): Answer => ({
  kind: "resource",
  status,
  body,
  headers,
});

export const resource = (body: object): Answer => resourceWith(200, body);
export const putResult = (body: object, created: boolean): Answer => resourceWith(created ? 201 : 200, body);
export const acceptedResult = (body: object, headers: Record<string, string>): Answer =>
  resourceWith(202, body, headers);
/** How work stands that goes on by itself; while it does, after how many seconds to ask again (Azure REST API Guidelines, Long-running operations). */
export const operation = (body: { readonly status: string }, askAgainSeconds: number): Answer =>
  resourceWith(200, body, body.status === "Running" ? { "retry-after": String(askAgainSeconds) } : {});
export const page = (of: PageResult<object>): Answer => ({ kind: "page", page: of });
/** What is made for one caller once, and so has no ETag. */
export const plain = (body: object): Answer => ({ kind: "plain", body });
export const text = (mediaType: string, text: string): Answer => ({ kind: "text", mediaType, text });
export const csv = (rows: readonly CsvRow[]): Answer => text("text/csv; charset=utf-8; header=present", csvOf(rows));
export const nothing: Answer = { kind: "nothing" };

/** `nextLink` gives the absolute link to the page after the place. */
export function toResponse(answer: Answer, nextLink: (place: string) => string): HttpResponseInit {
  switch (answer.kind) {
    case "resource":
      return {
        status: answer.status,
        headers: { etag: etagOf(answer.body), ...answer.headers },
        jsonBody: answer.body,
      };
    case "page": {
      const { value, next } = answer.page;
      return { status: 200, jsonBody: { value, ...(next === undefined ? {} : { nextLink: nextLink(next) }) } };
    }
    case "plain":
      return { status: 200, jsonBody: answer.body };
    case "text":
      return {
        status: 200,
        headers: { "content-type": answer.mediaType, etag: etagOf({ text: answer.text }) },
        body: answer.text,
      };
    case "nothing":
      return { status: 204 };
  }
}

/** The answer to a reader, or that they have it already (RFC 9110, 15.4.5). */
export function unlessHeld(answer: Answer, response: HttpResponseInit, { ifNoneMatch }: Condition): HttpResponseInit {
  const said = represented(answer);
  if (said === undefined || !isHeld(ifNoneMatch, said)) return response;
  return { status: 304, headers: { etag: etagOf(said) } };
}

/** What the answer's ETag is of. */
function represented(answer: Answer): object | undefined {
  if (answer.kind === "text") return { text: answer.text };
  return answer.kind === "resource" ? answer.body : undefined;
}
