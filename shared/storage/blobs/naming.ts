import type { BlobClient, ContainerClient } from "@azure/storage-blob";

/**
 * The blob of a name that somebody else chose; undefined where no URL can name it. Every parser of URLs takes `.` and `..` for steps, escaped or not,
 * so that such a name would lead to another blob or container: a URL counts only where its path is that of the container and the name, unchanged.
 */
export function blobNamed(container: ContainerClient, name: string): BlobClient | undefined {
  try {
    const blob = container.getBlobClient(name);
    const path = decodeURIComponent(new URL(blob.url).pathname);
    return path === `${new URL(container.url).pathname}/${name}` ? blob : undefined;
  } catch {
    // The SDK throws where it finds no container and blob in the URL, or cannot escape the name.
    return undefined;
  }
}

/** Storage quotes an ETag in headers and not in listings. */
export const bareEtag = (etag: string): string => etag.replace(/^W\//, "").replaceAll('"', "");
