import type { BlobServiceClient } from "@azure/storage-blob";
import type { Source } from "../../archive/source.ts";
import type { BundleLocation } from "../../domain/containers.ts";
import { zipTailBytes } from "../../domain/zip.ts";
import { orUnavailable } from "../failures.ts";
import { blobSource } from "./blobSource.ts";
import { bundleBlob } from "./copy.ts";
import { openHasher } from "./hasher.ts";
import { type Chunks, readInOrder } from "./rangedRead.ts";
import type { Signer, UrlGrant } from "./signer.ts";

const headBytes = 64 * 1024;
/** Milliseconds that a read URL lives, at the most (invariant 5). */
const longestReadMs = 15 * 60_000;

/** What verification needs of a bundle's content: its digest, and its two ends for `zipVerdict`. */
export type BundleContent = {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
};

/** The version of a copy that `CopyState` reported. */
export type CopiedVersion = { readonly etag: string; readonly sizeBytes: number };

/** Who else wants the bytes as they go by. */
export type Beside = {
  /** The file's end as it was read before, and is not read again. */
  readonly kept?: { readonly start: number; readonly bytes: Buffer } | undefined;
  readonly take: (position: number, chunk: Buffer) => Promise<void>;
};

export type Download = {
  /** The name that the file is saved under; it stands in the URL and is signed with it. */
  readonly fileName: string;
  readonly expiresOn: Date;
};

export type Reading = {
  /** Reads exactly this version in parallel ranges and hashes it in order, in bounded memory at any size. */
  readonly readAndHash: (at: BundleLocation, version: CopiedVersion, beside?: Beside) => Promise<BundleContent>;
  /** The same version to be read where it is needed. */
  readonly content: (at: BundleLocation, version: CopiedVersion) => Source;
  /** A URL that reads the one bundle as a file, for at most 15 minutes; https only outside one machine. */
  readonly readUrl: (at: BundleLocation, download: Download) => Promise<string>;
};

export function openReading(service: BlobServiceClient, sign: Signer): Reading {
  return {
    readAndHash: (at, { etag, sizeBytes }, { kept, take } = noOne) =>
      orUnavailable(async () => {
        using hasher = openHasher();
        const ends = endsOf(sizeBytes);
        let position = 0;
        const pass = async (chunks: Chunks): Promise<void> => {
          for (const chunk of chunks) {
            ends.see(chunk);
            await take(position, Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
            position += chunk.length;
          }
          // Last, for it takes the memory.
          await hasher.update(chunks);
        };
        await readInOrder({ blob: bundleBlob(service, at), etag, sizeBytes }, kept?.start ?? sizeBytes, pass);
        if (kept !== undefined) await pass([new Uint8Array(kept.bytes)]);
        return { sha256: await hasher.digest(), head: ends.head, tail: ends.tail };
      }),

    content: (at, { etag, sizeBytes }) => blobSource({ blob: bundleBlob(service, at), etag, sizeBytes }),

    readUrl: (at, download) => orUnavailable(() => sign(bundleBlob(service, at), asDownload(download))),
  };
}

const noOne: Beside = { take: async () => {} };

/** Collects a file's first and last bytes while it passes by in order. */
function endsOf(sizeBytes: number) {
  const head = Buffer.alloc(Math.min(headBytes, sizeBytes));
  const tail = Buffer.alloc(Math.min(zipTailBytes, sizeBytes));
  const tailStartsAt = sizeBytes - tail.length;
  let offset = 0;
  return {
    head,
    tail,
    see: (bytes: Uint8Array): void => {
      if (offset < head.length) head.set(bytes.subarray(0, head.length - offset), offset);
      const skipped = Math.max(0, tailStartsAt - offset);
      if (skipped < bytes.length) tail.set(bytes.subarray(skipped), offset + skipped - tailStartsAt);
      offset += bytes.length;
    },
  };
}

/**
 * A URL that saves a file and has no browser show it. A shared access signature sets these five headers of the answer and no other, so
 * `X-Content-Type-Options: nosniff` is not among them (`docs/security.md`).
 */
export const asDownload = ({ fileName, expiresOn }: Download): UrlGrant => ({
  permissions: "r",
  expiresOn,
  atMostMs: longestReadMs,
  contentType: "application/octet-stream",
  contentDisposition: attachment(fileName),
  // The stamp may have set an encoding on its blob, and the copy has it too: the reader gets the bytes that were hashed.
  contentEncoding: "identity",
  cacheControl: "no-store",
});

/** RFC 6266: a plain name for every client and, where it differs, the exact one in the form of RFC 8187. */
function attachment(fileName: string): string {
  const plain = fileName.replaceAll(/[^A-Za-z0-9._ -]/g, "_");
  const exact = encodeURIComponent(fileName.toWellFormed()).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return plain === fileName
    ? `attachment; filename="${plain}"`
    : `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
