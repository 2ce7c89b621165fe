import { noSuchPage } from "../operations/paging.ts";
import type { Received } from "./received.ts";

/** A page's place travels in `skipToken`, opaque to the client: base64url of a storage key. */

const place = /^[\x21-\x7e]{1,384}$/;

export function decodePlace(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const decoded = Buffer.from(token, "base64url").toString("latin1");
  if (!place.test(decoded)) throw noSuchPage();
  return decoded;
}

/** The same request for the page after `next`, absolute. */
export function nextLink(publicOrigin: string, request: Received, next: string): string {
  const query = new URLSearchParams(request.query);
  query.set("skipToken", Buffer.from(next, "latin1").toString("base64url"));
  return `${publicOrigin}${request.path}?${query}`;
}
