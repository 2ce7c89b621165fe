import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { bundleId, stampId } from "../../api/primitives.ts";
import { dayContainerName } from "../../domain/containers.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import { hasCode, orUnavailable } from "../failures.ts";
import { deleteContainer } from "./deletion.ts";

/** What is really in an account, listed rather than looked up: the other half of every comparison with the tables. */
export type Inventory = {
  /** The names of all its containers. */
  readonly containers: () => AsyncIterable<string>;
  /** The bundles whose bytes are in a day's container; none where there is no such container. */
  readonly bundlesIn: (day: UtcDay) => AsyncIterable<{ readonly stampId: string; readonly bundleId: string }>;
  /** In words, what makes the account keep deleted data; empty where a delete is a delete. */
  readonly keepsDeleted: () => Promise<readonly string[]>;
};

const location = z.tuple([stampId, bundleId]);

/** A container of our own for the probe write: no URL leads into it. */
const probeContainer = "retention-probe";

export function openInventory(service: BlobServiceClient): Inventory {
  async function* containers() {
    for await (const { name } of service.listContainers()) yield name;
  }

  async function* bundlesIn(day: UtcDay) {
    try {
      for await (const { name } of service.getContainerClient(dayContainerName(day)).listBlobsFlat()) {
        const [stamp, bundle] = location.parse(name.split("/"));
        yield { stampId: stamp, bundleId: bundle };
      }
    } catch (error) {
      if (!hasCode(error, "ContainerNotFound", "ContainerBeingDeleted")) throw error;
    }
  }

  const keepsDeleted = () =>
    orUnavailable(async () => {
      const { deleteRetentionPolicy } = await service.getProperties();
      const softDelete = deleteRetentionPolicy?.enabled ? ["soft delete is on: deleted blobs come back"] : [];
      return [...softDelete, ...(await probeVersioning(service))];
    });

  return { containers, bundlesIn, keepsDeleted };
}

/** A write on an account with versioning answers with a version. */
async function probeVersioning(service: BlobServiceClient): Promise<string[]> {
  const container = service.getContainerClient(probeContainer);
  await container.createIfNotExists();
  const { versionId } = await container.getBlockBlobClient("probe").upload("probe", 5);
  await deleteContainer(container);
  return versionId === undefined ? [] : ["versioning is on: overwritten and deleted blobs live on as versions"];
}
