import type { BlobItem, BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import type { ArrivedFile } from "../../domain/dropBox.ts";
import { asServiceUnavailable, hasCode, orUnavailable } from "../failures.ts";
import { bareEtag, blobNamed } from "./naming.ts";
import type { Signer } from "./signer.ts";

const longestBoxMs = 72 * 3_600_000;

export type BoxContainers = {
  /** Makes a drop box's container where it is missing. */
  readonly ensureBox: (container: string) => Promise<void>;
  /** A URL that reads, writes and lists in the container, for at most 72 hours; https only outside one machine. */
  readonly boxUrl: (container: string, expiresOn: Date) => Promise<string>;
  /** What was written and not overwritten, a page at a time in the order of the paths; none where there is no such container. */
  readonly filesIn: (container: string) => AsyncIterable<ArrivedFile>;
};

export function openBoxContainers(service: BlobServiceClient, sign: Signer): BoxContainers {
  const containerOf = (name: string) => service.getContainerClient(name);

  async function* filesIn(container: string) {
    try {
      const client = containerOf(container);
      for await (const item of client.listBlobsFlat()) yield fileOf(client, item);
    } catch (error) {
      if (!hasCode(error, "ContainerNotFound", "ContainerBeingDeleted")) throw asServiceUnavailable(error);
    }
  }

  return {
    filesIn,
    ensureBox: (container) =>
      orUnavailable(async () => {
        try {
          await containerOf(container).create();
        } catch (error) {
          if (!hasCode(error, "ContainerAlreadyExists")) throw error;
        }
      }),
    boxUrl: (container, expiresOn) =>
      orUnavailable(() => sign(containerOf(container), { permissions: "rwl", expiresOn, atMostMs: longestBoxMs })),
  };
}

function fileOf(container: ContainerClient, { name, properties }: BlobItem): ArrivedFile {
  const { blobType, accessTier, archiveStatus, customerProvidedKeySha256, copyStatus } = properties;
  const outOfReach = accessTier === "Archive" || archiveStatus !== undefined || customerProvidedKeySha256 !== undefined;
  return {
    path: name,
    etag: bareEtag(properties.etag),
    sizeBytes: properties.contentLength ?? 0,
    writtenOn: properties.lastModified,
    readable: blobType === "BlockBlob" && !outOfReach && copyStatus !== "pending",
    addressable: blobNamed(container, name) !== undefined,
  };
}
