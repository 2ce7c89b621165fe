import type { BlobServiceClient } from "@azure/storage-blob";
import { dayContainerName } from "../../domain/containers.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import { hasCode, orUnavailable } from "../failures.ts";
import { deleteContainer } from "./deletion.ts";

/** What is really in an account, listed rather than looked up: the other half of every comparison with the tables. */
export type Inventory = {
  /** The names of all its containers. */
  readonly containers: () => AsyncIterable<string>;
  /** The names of all blobs of a day's container, whatever they are; none where there is no such container. */
  readonly blobsIn: (day: UtcDay) => AsyncIterable<string>;
  readonly holdsBlob: (day: UtcDay, name: string) => Promise<boolean>;
  /** In words, what makes the account keep deleted data; empty where a delete is a delete. */
  readonly keepsDeleted: () => Promise<readonly string[]>;
};

/** A container of our own for the probe write: no URL leads into it. */
const probeContainer = "retention-probe";

export function openInventory(service: BlobServiceClient): Inventory {
  async function* containers() {
    for await (const { name } of service.listContainers()) yield name;
  }

  async function* blobsIn(day: UtcDay) {
    try {
      for await (const { name } of service.getContainerClient(dayContainerName(day)).listBlobsFlat()) {
        yield name;
      }
    } catch (error) {
      if (!hasCode(error, "ContainerNotFound", "ContainerBeingDeleted")) throw error;
    }
  }

  const holdsBlob = (day: UtcDay, name: string) =>
    orUnavailable(() => service.getContainerClient(dayContainerName(day)).getBlobClient(name).exists());

  const keepsDeleted = () =>
    orUnavailable(async () => {
      const { deleteRetentionPolicy } = await service.getProperties();
      const softDelete = deleteRetentionPolicy?.enabled ? ["soft delete is on: deleted blobs come back"] : [];
      return [...softDelete, ...(await probeVersioning(service))];
    });

  return { containers, blobsIn, holdsBlob, keepsDeleted };
}

/** A write on an account with versioning answers with a version. */
async function probeVersioning(service: BlobServiceClient): Promise<string[]> {
  const container = service.getContainerClient(probeContainer);
  await container.createIfNotExists();
  const { versionId } = await container.getBlockBlobClient("probe").upload("probe", 5);
  await deleteContainer(container);
  return versionId === undefined ? [] : ["versioning is on: overwritten and deleted blobs live on as versions"];
}
