import type { BlobClient, BlobServiceClient } from "@azure/storage-blob";
import { type BundleLocation, bundleBlobName, dayContainerName, landingBlobName } from "../../domain/containers.ts";
import { hasCode, isConflict, isNotFound, isPreconditionFailed, orUnavailable } from "../failures.ts";
import { bareEtag, blobNamed } from "./naming.ts";
import type { Signer } from "./signer.ts";

/** Life of the URL with which storage itself reads the source; within one account it is used at the start only. */
const sourceUrlMs = 3_600_000;

/** A copy into a day container: how far it is, and once it is whole, what it is. */
export type CopyState =
  | { readonly status: "pending" }
  | { readonly status: "success"; readonly etag: string; readonly sizeBytes: number }
  | { readonly status: "failed"; readonly etag: string | undefined };

/** The source was altered after its submit, or its landing container is gone. */
export type SourceProblem = { readonly status: "sourceChanged" } | { readonly status: "sourceMissing" };

export type CopyRequest = {
  readonly landing: string;
  /** The source's ETag at submit: what the stamp signed is that version and no other. */
  readonly etag: string;
  readonly to: BundleLocation;
};

/** A file of a drop box, in the version that its listing showed. */
export type FileCopyRequest = {
  readonly container: string;
  readonly path: string;
  readonly etag: string;
  readonly to: BundleLocation;
};

export type Copies = {
  /**
   * Starts to copy the submitted version of an upload into its day container, which must be there. Repeating it is safe:
   * where a copy exists already, its own state is the answer.
   */
  readonly startCopy: (request: CopyRequest) => Promise<CopyState | SourceProblem>;
  /** The same for a file of a drop box. */
  readonly copyFile: (request: FileCopyRequest) => Promise<CopyState | SourceProblem>;
  /** The state of a bundle's copy, in one round trip; undefined where there is none. */
  readonly copyState: (at: BundleLocation) => Promise<CopyState | undefined>;
  /** Deletes a copy that failed, and not a newer one that was made in its place meanwhile. Repeating it is safe. */
  readonly discardCopy: (at: BundleLocation, etag: string) => Promise<void>;
};

/** The blob of a bundle in its day container. */
export const bundleBlob = (service: BlobServiceClient, at: BundleLocation): BlobClient =>
  service.getContainerClient(dayContainerName(at.day)).getBlobClient(bundleBlobName(at));

export function openCopies(service: BlobServiceClient, sign: Signer, now: () => Date): Copies {
  const sourceUrl = (source: BlobClient): Promise<string> => {
    const expiresOn = new Date(now().getTime() + sourceUrlMs);
    return sign(source, { permissions: "r", expiresOn, atMostMs: sourceUrlMs });
  };

  async function copy(source: BlobClient, etag: string, to: BundleLocation): Promise<CopyState | SourceProblem> {
    const destination = bundleBlob(service, to);
    try {
      await destination.beginCopyFromURL(await sourceUrl(source), {
        conditions: { ifNoneMatch: "*" },
        sourceConditions: { ifMatch: etag },
        // Metadata of our own replaces whatever the sender wrote on its blob.
        metadata: { copiedby: "intake" },
      });
    } catch (error) {
      if (!(isNotFound(error) || isConflict(error) || isPreconditionFailed(error))) throw error;
      const existing = await stateOf(destination);
      if (existing !== undefined) return existing;
      const problem = await problemOf(source, etag);
      if (problem !== undefined) return problem;
      throw error;
    }
    return (await stateOf(destination)) ?? { status: "failed", etag: undefined };
  }

  return {
    startCopy: ({ landing, etag, to }) =>
      orUnavailable(() => copy(service.getContainerClient(landing).getBlobClient(landingBlobName), etag, to)),

    copyFile: ({ container, path, etag, to }) =>
      orUnavailable(async () => {
        const source = blobNamed(service.getContainerClient(container), path);
        if (source === undefined)
          throw new RangeError("A file whose name no URL can hold is refused before it is copied");
        return await copy(source, etag, to);
      }),

    copyState: (at) => orUnavailable(() => stateOf(bundleBlob(service, at))),

    discardCopy: (at, etag) =>
      orUnavailable(async () => {
        try {
          await bundleBlob(service, at).delete({ conditions: { ifMatch: etag } });
        } catch (error) {
          if (!(isNotFound(error) || isPreconditionFailed(error))) throw error;
        }
      }),
  };
}

/** What is wrong with the source by its own word: the error of a copy does not tell which blob refused, and a verdict hangs on it. */
async function problemOf(source: BlobClient, etag: string): Promise<SourceProblem | undefined> {
  try {
    const now = await source.getProperties();
    // Archiving leaves the ETag as it was, and the bytes out of reach.
    const changed = now.etag === undefined || bareEtag(now.etag) !== bareEtag(etag) || now.accessTier === "Archive";
    return changed ? { status: "sourceChanged" } : undefined;
  } catch (error) {
    if (isNotFound(error)) return { status: "sourceMissing" };
    if (hasCode(error, "BlobUsesCustomerSpecifiedEncryption")) return { status: "sourceChanged" };
    throw error;
  }
}

async function stateOf(blob: BlobClient): Promise<CopyState | undefined> {
  try {
    const { copyStatus, etag, contentLength } = await blob.getProperties();
    if (copyStatus === "pending") return { status: "pending" };
    if (copyStatus !== "success" || etag === undefined || contentLength === undefined)
      return { status: "failed", etag };
    return { status: "success", etag, sizeBytes: contentLength };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
