import { createHash } from "node:crypto";
import { type Block, blockListXml } from "./blocks.ts";
import { RefusedError, UnreachableError } from "./errors.ts";
import { ConnectionError } from "./lineErrors.ts";
import { isTransient, type RetryOptions, retryAfterMs, retrying, Transient } from "./retry.ts";
import type { Exchange, WireAnswer } from "./transport.ts";
import type { Upload, UploadTarget } from "./uploadTarget.ts";

/** The two calls of Blob Storage that make a blob: Put Block and Put Block List, straight to the upload's URL. */

export type BlobStorage = RetryOptions & { readonly target: UploadTarget; readonly exchange: Exchange };

/**
 * Sends one block, and gives the one that was sent: `cut` makes it anew for each try. Storage compares its MD5.
 * Safe to repeat: the same id replaces the same content.
 */
export const putBlock = (storage: BlobStorage, cut: () => Block): Promise<Block> =>
  put(storage, ({ requiredHeaders }) => {
    const block = cut();
    return {
      query: `&comp=block&blockid=${encodeURIComponent(block.id)}`,
      headers: { ...requiredHeaders, "content-md5": block.md5 },
      body: block.bytes,
      result: block,
    };
  });

/** Makes the blob of these blocks, in this order. Safe to repeat. */
export function putBlockList(storage: BlobStorage, ids: readonly string[]): Promise<void> {
  const body = Buffer.from(blockListXml(ids));
  const md5 = createHash("md5").update(body).digest("base64");
  return put(storage, ({ requiredHeaders }) => ({
    query: "&comp=blocklist",
    headers: { ...withoutBlobType(requiredHeaders), "content-md5": md5, "content-type": "application/xml" },
    body,
    result: undefined,
  }));
}

/** The type belongs to Put Blob; Azurite takes a list that carries it for a blob with the list as its content. */
const withoutBlobType = (headers: Upload["requiredHeaders"]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== "x-ms-blob-type"));

type Part<T> = {
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** What the call gives once storage has taken the part. */
  readonly result: T;
};

/** URLs in a row that may be refused: the first may have ended, and fresh ones that fail too are not what is wrong. */
const mostUrlsRefused = 3;

function put<T>(storage: BlobStorage, partFor: (upload: Upload) => Part<T>): Promise<T> {
  const { target } = storage;
  let urlsRefused = 0;
  return retrying(async () => {
    const upload = await target.current();
    const part = partFor(upload);
    const answer = await send(storage, upload, part);
    if (answer.status < 300) return part.result;
    const refusal = refusedBy(answer);
    if (isTransient(answer.status) || refusal.code === "Md5Mismatch") {
      throw new Transient(refusal, retryAfterMs(answer.headers, new Date()));
    }
    urlsRefused += 1;
    const isOfTheUrl = answer.status === 403 || answer.status === 404;
    if (!isOfTheUrl || urlsRefused === mostUrlsRefused) throw refusal;
    target.refuse(upload);
    throw new Transient(refusal);
  }, storage);
}

async function send(
  { target, exchange, signal }: BlobStorage,
  upload: Upload,
  { query, headers, body }: Part<unknown>,
): Promise<WireAnswer> {
  try {
    return await exchange({ method: "PUT", url: upload.url + query, headers, body, signal });
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    // After a restart on one machine storage listens elsewhere, and only a new URL says where.
    if (error.nobodyThere) target.refuse(upload);
    // The origin only: the rest of the URL is a secret.
    throw new Transient(new UnreachableError(new URL(upload.url).origin, error));
  }
}

/** Storage's own message holds parts of the URL's signature on some refusals, so only its code is repeated. */
function refusedBy({ status, headers }: WireAnswer): RefusedError {
  const code = headers.get("x-ms-error-code") ?? `Http${status}`;
  const message = `Storage refused a part of the upload (${status} ${code}).`;
  return new RefusedError({ status, code, message, requestId: headers.get("x-ms-request-id") ?? undefined });
}
