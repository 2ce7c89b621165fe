import type { BlobServiceProperties, StorageAccount } from "@azure/arm-storage";
import type { TokenCredential } from "@azure/identity";
import { parseAccountId } from "../accountId.ts";
import type { AccountFault } from "../domain/accountFaults.ts";
import { clientOptions } from "./clientOptions.ts";

/**
 * Azure Resource Manager, asked how bundle accounts are set up: what they keep of deleted data cannot be read from the accounts themselves
 * without a right to change it. Takes the role Reader.
 */
export type ResourceManager = {
  /** The faults of the account of that resource id. */
  readonly faultsOf: (resourceId: string, signal?: AbortSignal) => Promise<readonly AccountFault[]>;
};

/** `endpoint` is the cloud's own, such as `https://management.azure.com`, and is what tokens are for. */
export function openResourceManager(options: {
  readonly endpoint: string;
  readonly credential: TokenCredential;
}): ResourceManager {
  const endpoint = options.endpoint.replace(/\/$/, "");

  return {
    faultsOf: async (resourceId, signal) => {
      const id = parseAccountId(resourceId);
      if (id === undefined) throw new Error("The resource id is not a storage account's");
      const { createStorageManagement, account, blobs, replication } = await loadSdk();
      const context = createStorageManagement(options.credential, id.subscription, {
        endpoint,
        credentials: { scopes: [`${endpoint}/.default`] },
        ...clientOptions(),
      });
      const stoppable = signal === undefined ? {} : { abortSignal: signal };
      const [properties, service, policies] = await Promise.all([
        account.getProperties(context, id.group, id.account, stoppable),
        blobs.getServiceProperties(context, id.group, id.account, stoppable),
        hasAny(replication.list(context, id.group, id.account, stoppable)),
      ]);
      return [
        ...blobFaults(service),
        ...(policies ? (["objectReplication"] as const) : []),
        ...accountFaults(properties),
      ];
    },
  };
}

/** Only these parts of a large SDK, and only once they are needed. */
async function loadSdk() {
  const [{ createStorageManagement }, account, blobs, replication] = await Promise.all([
    import("@azure/arm-storage/api"),
    import("@azure/arm-storage/api/storageAccounts"),
    import("@azure/arm-storage/api/blobServices"),
    import("@azure/arm-storage/api/objectReplicationPolicies"),
  ]);
  return { createStorageManagement, account, blobs, replication };
}

/** What is left out is off. */
function blobFaults(service: BlobServiceProperties): AccountFault[] {
  const on: readonly (readonly [AccountFault, boolean | undefined])[] = [
    ["blobSoftDelete", service.deleteRetentionPolicy?.enabled],
    ["containerSoftDelete", service.containerDeleteRetentionPolicy?.enabled],
    ["versioning", service.isVersioningEnabled],
    ["pointInTimeRestore", service.restorePolicy?.enabled],
  ];
  return on.flatMap(([fault, isOn]) => (isOn === true ? [fault] : []));
}

/** What is left out is as it was before there was a choice: keys accepted, any TLS; public blobs are off by then. */
function accountFaults(account: StorageAccount): AccountFault[] {
  const isOld = account.minimumTlsVersion !== "TLS1_2" && account.minimumTlsVersion !== "TLS1_3";
  return [
    ...(account.allowSharedKeyAccess === false ? [] : (["sharedKey"] as const)),
    ...(account.allowBlobPublicAccess === true ? (["publicBlobs"] as const) : []),
    ...(isOld ? (["oldTls"] as const) : []),
    ...(account.enableHttpsTrafficOnly === false ? (["unencrypted"] as const) : []),
  ];
}

async function hasAny(items: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _ of items) return true;
  return false;
}
