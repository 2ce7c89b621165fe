import type { BlobGetPropertiesResponse, BlobServiceClient } from "@azure/storage-blob";
import { landingBlobName } from "../../domain/containers.ts";
import { hasCode, isNotFound, orUnavailable, serviceUnavailable } from "../failures.ts";
import { deleteContainer } from "./deletion.ts";
import type { Signer } from "./signer.ts";

const longestUploadMs = 4 * 3_600_000;

/** Why a blob cannot become a bundle, although it is there. */
export type UnusableReason = "leased" | "archived" | "notABlockBlob" | "customerKey" | "copyPending";

/** What a stamp has committed in its landing container. */
export type LandedBlob =
  | { readonly kind: "usable"; readonly etag: string; readonly sizeBytes: number }
  | { readonly kind: "unusable"; readonly reason: UnusableReason };

/** A block that was sent and not yet committed. */
export type StagedBlock = { readonly id: string; readonly sizeBytes: number };

export type Landing = {
  /** Makes the container of one upload, in one round trip. Its name must be random, so that one which is there is this call's own. */
  readonly createLanding: (container: string) => Promise<void>;
  /** Makes the container where it is not there, in one round trip. */
  readonly ensureLanding: (container: string) => Promise<void>;
  /** A URL that can write the container's one blob and nothing else, for at most 4 hours; https only outside one machine. */
  readonly uploadUrl: (container: string, life: { readonly expiresOn: Date }) => Promise<string>;
  /** The committed blob, in one round trip; undefined where there is none. */
  readonly landed: (container: string) => Promise<LandedBlob | undefined>;
  /** Blocks from which an interrupted upload can go on, in one round trip; none where there is no upload. */
  readonly stagedBlocks: (container: string) => Promise<readonly StagedBlock[]>;
  /** Whether the container is there, so that its URLs can write; in one round trip. */
  readonly hasLanding: (container: string) => Promise<boolean>;
  /** Ends every URL of the upload by deleting its container; returns once it is gone. Repeating it is safe. */
  readonly deleteLanding: (container: string) => Promise<void>;
};

export function openLanding(service: BlobServiceClient, sign: Signer): Landing {
  const containerOf = (name: string) => service.getContainerClient(name);
  const blobOf = (name: string) => containerOf(name).getBlockBlobClient(landingBlobName);

  return {
    createLanding: (container) =>
      orUnavailable(async () => {
        try {
          await containerOf(container).create();
        } catch (error) {
          // A name is random for each attempt, so what is there is this call's own: the SDK sent it again after a lost answer.
          if (!hasCode(error, "ContainerAlreadyExists")) throw error;
        }
      }),

    ensureLanding: (container) =>
      orUnavailable(async () => {
        await containerOf(container).createIfNotExists();
      }),

    uploadUrl: (container, { expiresOn }) =>
      orUnavailable(() => sign(blobOf(container), { permissions: "cw", expiresOn, atMostMs: longestUploadMs })),

    landed: (container) =>
      orUnavailable(async () => {
        try {
          return judge(await blobOf(container).getProperties());
        } catch (error) {
          if (isNotFound(error)) return undefined;
          // Without its key such a blob does not even show its properties.
          if (hasCode(error, "BlobUsesCustomerSpecifiedEncryption")) return unusable("customerKey");
          throw error;
        }
      }),

    stagedBlocks: (container) =>
      orUnavailable(async () => {
        try {
          const { uncommittedBlocks } = await blobOf(container).getBlockList("uncommitted");
          return (uncommittedBlocks ?? []).map(({ name, size }) => ({ id: name, sizeBytes: size }));
        } catch (error) {
          if (isNotFound(error) || hasCode(error, "InvalidBlobType")) return [];
          throw error;
        }
      }),

    hasLanding: (container) => orUnavailable(() => containerOf(container).exists()),

    deleteLanding: (container) => orUnavailable(() => deleteContainer(containerOf(container))),
  };
}

const unusable = (reason: UnusableReason): LandedBlob => ({ kind: "unusable", reason });

function judge(blob: BlobGetPropertiesResponse): LandedBlob {
  if (blob.blobType !== "BlockBlob") return unusable("notABlockBlob");
  if (blob.encryptionKeySha256 !== undefined) return unusable("customerKey");
  if (blob.leaseState === "leased" || blob.leaseState === "breaking") return unusable("leased");
  if (blob.accessTier === "Archive" || blob.archiveStatus !== undefined) return unusable("archived");
  if (blob.copyStatus === "pending") return unusable("copyPending");
  const { etag, contentLength } = blob;
  if (etag === undefined || contentLength === undefined) {
    throw serviceUnavailable(new Error("storage told neither ETag nor size of a blob"));
  }
  return { kind: "usable", etag, sizeBytes: contentLength };
}
