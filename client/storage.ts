import { createHash } from "node:crypto";
import { blockListXml } from "./blocks.ts";
import type { ReadBlock } from "./bundleFile.ts";
import { RefusedError, UnreachableError } from "./errors.ts";
import { isTransient, type RetryOptions, retryAfterMs, retrying, Transient } from "./retry.ts";
import { ConnectionError, exchange, type WireAnswer } from "./transport.ts";
import type { UploadTarget } from "./uploadTarget.ts";

/** The two calls of Blob Storage that make a blob: Put Block and Put Block List, straight to the upload's URL. */

/** Sends one block; storage compares its MD5. Safe to repeat: the same id replaces the same content. */
export const putBlock = (target: UploadTarget, block: ReadBlock, retry: RetryOptions): Promise<void> =>
  put(target, `&comp=block&blockid=${encodeURIComponent(block.id)}`, block.bytes, { "content-md5": block.md5 }, retry);

/** Makes the blob of these blocks, in this order. Safe to repeat. */
export function putBlockList(target: UploadTarget, ids: readonly string[], retry: RetryOptions): Promise<void> {
  const body = Buffer.from(blockListXml(ids));
  const md5 = createHash("md5").update(body).digest("base64");
  return put(target, "&comp=blocklist", body, { "content-md5": md5, "content-type": "application/xml" }, retry);
}

/** Refusals in a row, each of a fresh URL, after which another URL will not help. */
const mostFreshUrlsRefused = 2;

function put(
  target: UploadTarget,
  query: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
  retry: RetryOptions,
): Promise<void> {
  let urlsRefused = 0;
  return retrying(async () => {
    const upload = await target.current();
    const url = upload.url + query;
    const answer = await reached(upload.url, () =>
      exchange({ method: "PUT", url, headers: { ...upload.requiredHeaders, ...headers }, body, signal: retry.signal }),
    ).catch((error: unknown) => {
      // After a restart on one machine storage listens elsewhere, and only a new URL says where.
      if (
        error instanceof Transient &&
        error.failure.cause instanceof ConnectionError &&
        error.failure.cause.nobodyThere
      ) {
        target.refuse(upload);
      }
      throw error;
    });
    if (answer.status < 300) return;
    const refusal = refusedBy(answer);
    if (isTransient(answer.status) || refusal.code === "Md5Mismatch") {
      throw new Transient(refusal, retryAfterMs(answer.headers, new Date()));
    }
    if (answer.status !== 403 && answer.status !== 404) throw refusal;
    if (urlsRefused === mostFreshUrlsRefused) throw refusal;
    urlsRefused += 1;
    target.refuse(upload);
    throw new Transient(refusal);
  }, retry);
}

async function reached(url: string, send: () => Promise<WireAnswer>): Promise<WireAnswer> {
  try {
    return await send();
  } catch (error) {
    // The origin only: the rest of the URL is a secret.
    if (error instanceof ConnectionError) throw new Transient(new UnreachableError(new URL(url).origin, error));
    throw error;
  }
}

/** Storage's own message holds parts of the URL's signature on some refusals, so only its code is repeated. */
function refusedBy({ status, headers }: WireAnswer): RefusedError {
  const code = headers.get("x-ms-error-code") ?? `Http${status}`;
  const message = `Storage refused a part of the upload (${status} ${code}).`;
  return new RefusedError({ status, code, message, requestId: headers.get("x-ms-request-id") ?? undefined });
}
