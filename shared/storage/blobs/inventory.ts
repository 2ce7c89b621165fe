import type { BlobServiceClient } from "@azure/storage-blob";
import type { AccountFault } from "../../domain/accountFaults.ts";
import { dayContainerName } from "../../domain/containers.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import type { AccountLook } from "../../operations/needs.ts";
import { hasCode, orUnavailable } from "../failures.ts";

/** What is really in an account, listed rather than looked up: the other half of every comparison with the tables. */
export type Inventory = {
  /** The names of all its containers. */
  readonly containers: () => AsyncIterable<string>;
  /** The names of all blobs of a day's container, whatever they are; none where there is no such container. */
  readonly blobsIn: (day: UtcDay) => AsyncIterable<string>;
  readonly holdsBlob: (day: UtcDay, name: string) => Promise<boolean>;
  /** How the account is set up and must not be; empty where a delete is a delete. */
  readonly faults: (look: AccountLook) => Promise<readonly AccountFault[]>;
};

/** Asks Resource Manager, which knows all of it. */
export type Inspect = (signal?: AbortSignal) => Promise<readonly AccountFault[]>;

/** A container of our own for the probe write: no URL leads into it. */
const probeContainer = "retention-probe";

export function openInventory(service: BlobServiceClient, inspect?: Inspect): Inventory {
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

  const faults = ({ mayWrite, signal }: AccountLook) =>
    orUnavailable(async () => {
      if (inspect !== undefined) return await inspect(signal);
      const stoppable = signal === undefined ? {} : { abortSignal: signal };
      const { deleteRetentionPolicy } = await service.getProperties(stoppable);
      const softDelete = deleteRetentionPolicy?.enabled ? (["blobSoftDelete"] as const) : [];
      return [...softDelete, ...(mayWrite ? await probeVersioning(service) : [])];
    });

  return { containers, blobsIn, holdsBlob, faults };
}

/** A write on an account with versioning answers with a version. Whoever meets another's probe leaves it to the other to tell. */
async function probeVersioning(service: BlobServiceClient): Promise<AccountFault[]> {
  const container = service.getContainerClient(probeContainer);
  try {
    await container.createIfNotExists();
    const { versionId } = await container.getBlockBlobClient("probe").upload("probe", 5);
    await container.deleteIfExists();
    return versionId === undefined ? [] : ["versioning"];
  } catch (error) {
    if (hasCode(error, "ContainerBeingDeleted", "ContainerNotFound")) return [];
    throw error;
  }
}
