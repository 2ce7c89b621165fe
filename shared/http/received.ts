import type { HttpRequest } from "@azure/functions";
import { DomainError } from "../errors.ts";

/** A request as it was received, read once; nothing of it is trusted yet. */
export type Received = {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  /** As sent, with its question mark; empty where there is none. */
  readonly search: string;
  readonly query: URLSearchParams;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Headers;
  /** Undefined where no body was sent. */
  readonly body: Uint8Array | undefined;
};

/** Bytes of a request's body, at the most (`API.md`). */
const mostBodyBytes = 16 * 1024;

/** Reads the request. Throws `LengthRequired`, `BodyTooLarge` and `InvalidPath`, in that order. */
export async function receive(request: HttpRequest, takesBody: boolean): Promise<Received> {
  const headers = new Headers(request.headers);
  requireLength(headers, takesBody);
  const body = new Uint8Array(await request.arrayBuffer());
  if (body.byteLength > mostBodyBytes) throw tooLarge();
  const { path, search } = targetOf(request.url);
  if (path.includes("%")) {
    throw new DomainError("InvalidPath", "No id needs percent-encoding: send the path without %.");
  }
  return {
    method: request.method.toUpperCase(),
    path,
    search,
    query: new URLSearchParams(search),
    params: request.params,
    headers,
    body: body.byteLength === 0 ? undefined : body,
  };
}

/** A body comes with its length: the host passes on a chunked one as if it were empty. */
function requireLength(headers: Headers, takesBody: boolean): void {
  const length = headers.get("content-length");
  if (headers.has("transfer-encoding") || (takesBody && length === null)) {
    throw new DomainError("LengthRequired", "Send the body with a Content-Length, not chunked.");
  }
  if (length !== null && Number(length) > mostBodyBytes) throw tooLarge();
}

const tooLarge = () =>
  new DomainError(
    "BodyTooLarge",
    `A body may have at most ${mostBodyBytes} bytes. Logs go to the upload URL, not here.`,
  );

/** The path and query of an absolute URL without parsing it: parsing would re-encode what was signed. */
function targetOf(url: string): { path: string; search: string } {
  const match = /^[a-z]+:\/\/[^/?#]*([^?#]*)(\?[^#]*)?/i.exec(url);
  return { path: match?.[1] || "/", search: match?.[2] ?? "" };
}
