import { createHash, randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { BlobClient, BlobServiceClient, BlockBlobClient } from "@azure/storage-blob";
import * as z from "zod";
import {
  type BundleLocation,
  bundleBlobName,
  dayContainerName,
  lentBlobName,
  lentContainerName,
  lentContainerPrefix,
  lentDayOfContainer,
  lentPathsBlobName,
} from "../../domain/containers.ts";
import { type UtcDay, utcDaySchema } from "../../domain/utcDay.ts";
import { hasCode, isNotFound, isPreconditionFailed, orUnavailable } from "../failures.ts";
import { deleteBlob, deleteContainer } from "./deletion.ts";
import { asDownload, type Download } from "./read.ts";
import type { Signer } from "./signer.ts";

/** One file taken out of a bundle, by the salted digest of its path, and the day it is lent on. */
export type LentFile = { readonly place: BundleLocation; readonly lentOn: UtcDay; readonly digest: string };

/** A path that was lent, and the day of lending that was last asked for. */
export type LentPath = { readonly path: string; readonly lentOn: UtcDay };

/** What is lent in parts: files taken out of bundles, in a container of the day of lending. */
export type Lending = {
  readonly isLent: (file: LentFile) => Promise<boolean>;
  /** Writes the file; it is there only once `content` has ended well. One that is there already stays. Repeating it is safe. */
  readonly lend: (file: LentFile, content: Readable) => Promise<void>;
  readonly lentUrl: (file: LentFile, download: Download) => Promise<string>;
  /** Keeps the path beside its bundle, so that it dies with it, and the day that it was last asked for. */
  readonly keepLentPath: (file: LentFile, path: string) => Promise<void>;
  readonly lentPath: (at: BundleLocation, digest: string) => Promise<LentPath | undefined>;
  readonly noteLentFailure: (file: LentFile, message: string) => Promise<void>;
  readonly forgetLentFailure: (file: LentFile) => Promise<void>;
  readonly lentFailure: (file: LentFile) => Promise<string | undefined>;
  readonly lentDays: () => Promise<readonly UtcDay[]>;
  /** Deletes all that was lent on a day; returns once it is gone. */
  readonly deleteLentDay: (day: UtcDay) => Promise<void>;
  /** Deletes all that was taken out of one bundle; returns once it is gone. */
  readonly deleteLentOf: (at: BundleLocation) => Promise<void>;
};

/** Bytes of a block: one waits in memory while the next one fills. */
const blockBytes = 4 * 1024 * 1024;

/** The content in blocks, of which the last may be shorter; none where it is empty. */
async function* blocksOf(content: Readable): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of content) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    if (length < blockBytes) continue;
    const all = Buffer.concat(chunks);
    let at = 0;
    for (; at + blockBytes <= length; at += blockBytes) yield all.subarray(at, at + blockBytes);
    chunks = [all.subarray(at)];
    length -= at;
  }
  if (length > 0) yield Buffer.concat(chunks);
}

/** Storage refuses what came otherwise than it was sent. */
const md5Of = (bytes: Buffer) => ({ transactionalContentMD5: createHash("md5").update(bytes).digest() });

async function textOf(blob: BlockBlobClient): Promise<string | undefined> {
  const body = await bodyOf(blob);
  return body && (await text(body));
}

/** Undefined where there is no such blob. */
async function bodyOf(blob: BlobClient): Promise<NodeJS.ReadableStream | undefined> {
  try {
    return (await blob.download()).readableStreamBody ?? Readable.from([]);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const lentPath = z.object({ digest: z.string(), lentOn: utcDaySchema, path: z.string() });

/** What was last written of the path, whose digest begins its line. Memory does not grow with the lines. */
async function lastLine(blob: BlobClient, digest: string): Promise<LentPath | undefined> {
  const body = await bodyOf(blob);
  if (body === undefined) return undefined;
  let last: string | undefined;
  for await (const line of createInterface({ input: body, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.startsWith(`{"digest":${JSON.stringify(digest)},`)) last = line;
  }
  return last === undefined ? undefined : lentPath.parse(JSON.parse(last));
}

export function openLending(service: BlobServiceClient, sign: Signer): Lending {
  const containerOf = (day: UtcDay) => service.getContainerClient(lentContainerName(day));
  const blobOf = ({ place, lentOn, digest }: LentFile) =>
    containerOf(lentOn).getBlockBlobClient(lentBlobName(place, digest));
  const pathsBlob = (at: BundleLocation) =>
    service.getContainerClient(dayContainerName(at.day)).getAppendBlobClient(lentPathsBlobName(at));

  const failureBlob = ({ place, lentOn, digest }: LentFile) =>
    containerOf(lentOn).getBlockBlobClient(`${lentBlobName(place, digest)}.failed`);

  const lentDays = async (): Promise<readonly UtcDay[]> => {
    const days: UtcDay[] = [];
    for await (const { name } of service.listContainers({ prefix: lentContainerPrefix })) {
      const day = lentDayOfContainer(name);
      if (day !== undefined) days.push(day);
    }
    return days.sort();
  };

  /** Runs what writes into a day's container, which is made where it is missing. */
  const inContainer = async (day: UtcDay, write: () => Promise<unknown>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      if (!hasCode(error, "ContainerNotFound")) throw error;
      await containerOf(day).createIfNotExists();
      await write();
    }
  };

  /** The last block is held back until the content has ended well, so that a file of one block is written by one call. */
  const write = async (file: LentFile, content: Readable): Promise<void> => {
    const blob = blobOf(file);
    const once = { conditions: { ifNoneMatch: "*" } };
    const asker = randomUUID();
    const ids: string[] = [];
    const stage = async (block: Buffer): Promise<void> => {
      // Two who write the same file at once never take each other's blocks.
      const id = Buffer.from(`${asker}-${String(ids.length).padStart(6, "0")}`).toString("base64");
      await inContainer(file.lentOn, () => blob.stageBlock(id, block, block.length, md5Of(block)));
      ids.push(id);
    };
    let held: Buffer | undefined;
    for await (const block of blocksOf(content)) {
      if (held !== undefined) await stage(held);
      held = block;
    }
    const last = held ?? Buffer.alloc(0);
    if (ids.length === 0) {
      await inContainer(file.lentOn, () => blob.upload(last, last.length, { ...once, ...md5Of(last) }));
      return;
    }
    await stage(last);
    await blob.commitBlockList(ids, once);
  };

  return {
    isLent: (file) => orUnavailable(() => blobOf(file).exists()),

    lend: (file, content) =>
      orUnavailable(async () => {
        try {
          await write(file, content);
        } catch (error) {
          // Whoever commits first takes away the blocks that another had staged.
          const isOvertaken = hasCode(error, "BlobAlreadyExists", "InvalidBlockList") || isPreconditionFailed(error);
          if (!isOvertaken || !(await blobOf(file).exists())) throw error;
        }
      }),

    lentUrl: (file, download) => orUnavailable(() => sign(blobOf(file), asDownload(download))),

    keepLentPath: ({ place, digest, lentOn }, path) =>
      orUnavailable(async () => {
        if ((await lastLine(pathsBlob(place), digest))?.lentOn === lentOn) return;
        const line = `${JSON.stringify({ digest, lentOn, path })}\n`;
        try {
          await pathsBlob(place).appendBlock(line, Buffer.byteLength(line));
        } catch (error) {
          // It went with its bundle, or is full: then the customer sees the digest alone.
          if (!(isNotFound(error) || hasCode(error, "BlockCountExceedsLimit"))) throw error;
        }
      }),

    lentPath: (at, digest) => orUnavailable(() => lastLine(pathsBlob(at), digest)),

    noteLentFailure: (file, message) =>
      orUnavailable(() =>
        inContainer(file.lentOn, () => failureBlob(file).upload(message, Buffer.byteLength(message))),
      ),

    forgetLentFailure: (file) => orUnavailable(() => deleteBlob(failureBlob(file))),

    lentFailure: (file) => orUnavailable(() => textOf(failureBlob(file))),

    lentDays: () => orUnavailable(lentDays),

    deleteLentDay: (day) => orUnavailable(() => deleteContainer(containerOf(day))),

    deleteLentOf: (at) =>
      orUnavailable(async () => {
        for (const day of await lentDays()) {
          try {
            for await (const { name } of containerOf(day).listBlobsFlat({ prefix: `${bundleBlobName(at)}/` })) {
              await deleteBlob(containerOf(day).getBlobClient(name));
            }
          } catch (error) {
            if (!hasCode(error, "ContainerNotFound", "ContainerBeingDeleted")) throw error;
          }
        }
      }),
  };
}
