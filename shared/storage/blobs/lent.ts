import type { Readable } from "node:stream";
import type { BlobServiceClient, BlockBlobClient } from "@azure/storage-blob";
import {
  type BundleLocation,
  bundleBlobName,
  dayContainerName,
  lentBlobName,
  lentContainerName,
  lentContainerPrefix,
  lentDayOfContainer,
  lentPathBlobName,
} from "../../domain/containers.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import { hasCode, isConflict, isNotFound, isPreconditionFailed, orUnavailable } from "../failures.ts";
import { deleteBlob, deleteContainer } from "./deletion.ts";
import { attachment, type Download, longestReadMs } from "./read.ts";
import type { Signer } from "./signer.ts";

/** One file taken out of a bundle, by the salted digest of its path, and the day it is lent on. */
export type LentFile = { readonly place: BundleLocation; readonly lentOn: UtcDay; readonly digest: string };

/** What is lent in parts: files taken out of bundles, in a container of the day of lending. */
export type Lending = {
  readonly isLent: (file: LentFile) => Promise<boolean>;
  /** Writes the file; it is there only once `content` has ended well. One that is there already stays. Repeating it is safe. */
  readonly lend: (file: LentFile, content: Readable) => Promise<void>;
  readonly lentUrl: (file: LentFile, download: Download) => Promise<string>;
  /** Keeps the path beside its bundle, so that it dies with it. */
  readonly keepLentPath: (file: LentFile, path: string) => Promise<void>;
  readonly lentPath: (at: BundleLocation, digest: string) => Promise<string | undefined>;
  readonly noteLentFailure: (file: LentFile, message: string) => Promise<void>;
  readonly forgetLentFailure: (file: LentFile) => Promise<void>;
  readonly lentFailure: (file: LentFile) => Promise<string | undefined>;
  readonly lentDays: () => Promise<readonly UtcDay[]>;
  /** Deletes all that was lent on a day; returns once it is gone. */
  readonly deleteLentDay: (day: UtcDay) => Promise<void>;
  /** Deletes all that was taken out of one bundle; returns once it is gone. */
  readonly deleteLentOf: (at: BundleLocation) => Promise<void>;
};

/** Bytes of a block, and blocks under way: together they bound the memory. */
const blockBytes = 4 * 1024 * 1024;
const blocksAtOnce = 2;

async function textOf(blob: BlockBlobClient): Promise<string | undefined> {
  try {
    return (await blob.downloadToBuffer()).toString();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export function openLending(service: BlobServiceClient, sign: Signer): Lending {
  const containerOf = (day: UtcDay) => service.getContainerClient(lentContainerName(day));
  const blobOf = ({ place, lentOn, digest }: LentFile) =>
    containerOf(lentOn).getBlockBlobClient(lentBlobName(place, digest));
  const pathBlob = (at: BundleLocation, digest: string) =>
    service.getContainerClient(dayContainerName(at.day)).getBlockBlobClient(lentPathBlobName(at, digest));

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

  return {
    isLent: (file) => orUnavailable(() => blobOf(file).exists()),

    lend: (file, content) =>
      orUnavailable(async () => {
        await containerOf(file.lentOn).createIfNotExists();
        try {
          await blobOf(file).uploadStream(content, blockBytes, blocksAtOnce, { conditions: { ifNoneMatch: "*" } });
        } catch (error) {
          if (!(isConflict(error) || isPreconditionFailed(error))) throw error;
        }
      }),

    lentUrl: (file, { fileName, contentType, expiresOn }) =>
      orUnavailable(() =>
        sign(blobOf(file), {
          permissions: "r",
          expiresOn,
          atMostMs: longestReadMs,
          contentType,
          contentDisposition: attachment(fileName),
          cacheControl: "no-store",
        }),
      ),

    keepLentPath: ({ place, digest }, path) =>
      orUnavailable(async () => void (await pathBlob(place, digest).upload(path, Buffer.byteLength(path)))),

    lentPath: (at, digest) => orUnavailable(() => textOf(pathBlob(at, digest))),

    noteLentFailure: (file, message) =>
      orUnavailable(async () => {
        await containerOf(file.lentOn).createIfNotExists();
        await failureBlob(file).upload(message, Buffer.byteLength(message));
      }),

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
