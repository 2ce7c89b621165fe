import type { IncomingMessage } from "node:http";
import { requestOrigin } from "./httpData.ts";

/**
 * Who may call the embedded host: programs of this machine. A browser carries the requests of any page to the loopback, so it asks
 * for what a browser always says and a page cannot change: the Host that was called, and the origin of the page.
 */

/** A name that is bound to 127.0.0.1 anew (DNS rebinding) makes a page's requests same-origin, but stays in its Host header. */
export const isForThisMachine = (request: IncomingMessage): boolean =>
  /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d*)?$/i.test(requestOrigin(request));

/** Whether a page of another origin has the browser send the request. A request without these headers is no page's. */
export function isFromAnotherOrigin(request: IncomingMessage): boolean {
  const { origin, "sec-fetch-site": site } = request.headers;
  if (origin !== undefined && origin !== requestOrigin(request)) return true;
  return site !== undefined && site !== "same-origin" && site !== "none";
}

export const notThisMachine =
  "The embedded host answers to 127.0.0.1, localhost and [::1] alone: use one of them as the host.\n";
export const notAnotherOrigin = "A web page of another origin may not call this. Use curl or a script.\n";
