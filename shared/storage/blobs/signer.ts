import {
  type BlobClient,
  BlobSASPermissions,
  type BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  type SASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { clockSkewMs, delegationKeys } from "./delegationKey.ts";

/** What a URL lets its holder do with one blob or one container, until when, and how the answer to a read is labelled. */
export type UrlGrant = {
  /** Letters of the storage permissions: `cw` writes and `r` reads a blob, `rwl` reads, writes and lists a container. */
  readonly permissions: "cw" | "r" | "rwl";
  readonly expiresOn: Date;
  /** Longest life in milliseconds: a caller's mistake must not issue a URL that outlives its reason. */
  readonly atMostMs: number;
  readonly contentDisposition?: string;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly cacheControl?: string;
};

/** Signs a URL for one blob, or for one container. Throws `RangeError` where it would live longer than the grant's longest life. */
export type Signer = (target: BlobClient | ContainerClient, grant: UrlGrant) => Promise<string>;

type Values = Parameters<typeof generateBlobSASQueryParameters>[0] & { readonly expiresOn: Date };
type Sign = (values: Values, atMostMs: number) => Promise<SASQueryParameters>;

/** Signs with the account's key where there is one, else with a user-delegation key of our identity. */
export function openSigner(service: BlobServiceClient, now: () => Date): Signer {
  const sign = signWith(service, now);
  const protocol = service.url.startsWith("https:") ? SASProtocol.Https : SASProtocol.HttpsAndHttp;
  return async (target, { permissions, atMostMs, expiresOn, ...labels }) => {
    const time = now().getTime();
    if (expiresOn.getTime() > time + atMostMs) {
      throw new RangeError(`A URL with ${permissions} may live ${atMostMs} ms, not until ${expiresOn.toISOString()}`);
    }
    const query = await sign(
      {
        containerName: target.containerName,
        ...("name" in target
          ? { blobName: target.name, permissions: BlobSASPermissions.parse(permissions) }
          : { permissions: ContainerSASPermissions.parse(permissions) }),
        startsOn: new Date(time - clockSkewMs),
        expiresOn,
        protocol,
        ...labels,
      },
      atMostMs,
    );
    return `${target.url}?${query}`;
  };
}

function signWith(service: BlobServiceClient, now: () => Date): Sign {
  const credential = service.credential;
  if (credential instanceof StorageSharedKeyCredential) {
    return async (values) => generateBlobSASQueryParameters(values, credential);
  }
  const key = delegationKeys(service, now);
  return async (values, atMostMs) =>
    generateBlobSASQueryParameters(values, await key({ expiresOn: values.expiresOn, atMostMs }), service.accountName);
}
