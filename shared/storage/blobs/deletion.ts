import type { BlobClient, ContainerClient } from "@azure/storage-blob";
import { hasCode, isNotFound, serviceUnavailable } from "../failures.ts";

/**
 * Deletes a container with all that is in it (leased blobs, snapshots, staged blocks) in one call, however much that
 * is, and returns once storage says that it is gone. Repeating it is safe.
 */
export async function deleteContainer(container: ContainerClient): Promise<void> {
  await ignoring(["ContainerNotFound", "ContainerBeingDeleted"], () => container.delete());
  await confirmGone(() => container.getProperties());
}

/**
 * Deletes a blob with its snapshots, ending a copy that still runs into it, and returns once storage says that it is
 * gone. Repeating it is safe.
 */
export async function deleteBlob(blob: BlobClient): Promise<void> {
  try {
    await deleteWithSnapshots(blob);
  } catch (error) {
    if (!hasCode(error, "PendingCopyOperation")) throw error;
    await abortCopy(blob);
    await deleteWithSnapshots(blob);
  }
  await confirmGone(() => blob.getProperties());
}

const deleteWithSnapshots = (blob: BlobClient): Promise<void> =>
  ignoring(["BlobNotFound", "ContainerNotFound", "ContainerBeingDeleted"], () =>
    blob.delete({ deleteSnapshots: "include" }),
  );

async function abortCopy(blob: BlobClient): Promise<void> {
  const { copyId } = await blob.getProperties();
  if (copyId === undefined) return;
  await ignoring(["NoPendingCopyOperation"], () => blob.abortCopyFromURL(copyId));
}

async function ignoring(codes: readonly string[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!hasCode(error, ...codes)) throw error;
  }
}

/** "Deleted" is said only on storage's own word: anything but "not found" is a failure to try again. */
async function confirmGone(look: () => Promise<unknown>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  throw serviceUnavailable(new Error("storage still shows what it was told to delete"));
}
