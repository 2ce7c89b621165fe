import type { HttpResponseInit } from "@azure/functions";
import { etagOf } from "../domain/etag.ts";
import type { PageResult } from "../operations/paging.ts";
import { type CsvRow, csvOf } from "./csv.ts";

/** What a handler answers: made here so that every answer of a kind has the same status and headers. */
export type Answer =
  | {
      readonly kind: "resource";
      readonly status: 200 | 201 | 202;
      readonly body: object;
      readonly headers?: Record<string, string>;
    }
  | { readonly kind: "page"; readonly page: PageResult<object> }
  | { readonly kind: "plain"; readonly body: object | string }
  | { readonly kind: "csv"; readonly rows: readonly CsvRow[] }
  | { readonly kind: "nothing" };

export const resource = (body: object): Answer => ({ kind: "resource", status: 200, body });
export const putResult = (body: object, created: boolean): Answer => ({
  kind: "resource",
  status: created ? 201 : 200,
  body,
});
export const acceptedResult = (body: object, headers: Record<string, string> = {}): Answer => ({
  kind: "resource",
  status: 202,
  body,
  headers,
});
export const page = (of: PageResult<object>): Answer => ({ kind: "page", page: of });
export const plain = (body: object | string): Answer => ({ kind: "plain", body });
export const csv = (rows: readonly CsvRow[]): Answer => ({ kind: "csv", rows });
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
      return typeof answer.body === "string"
        ? { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: answer.body }
        : { status: 200, jsonBody: answer.body };
    case "csv": {
      const body = csvOf(answer.rows);
      const headers = { "content-type": "text/csv; charset=utf-8; header=present", etag: etagOf({ body }) };
      return { status: 200, headers, body };
    }
    case "nothing":
      return { status: 204 };
  }
}
