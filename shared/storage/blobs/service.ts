import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient } from "@azure/storage-blob";
import { clientOptions, storagePolicies } from "../clientOptions.ts";
import type { Inspect } from "./inventory.ts";

/** One configured storage account: by connection string on one machine and in tests, by identity in Azure. */
export type BundleAccountOptions = (
  | { readonly connectionString: string }
  | { readonly blobEndpoint: string; readonly credential: TokenCredential }
) & {
  /** The name that a bundle's row stores, so that its bytes are found again. */
  readonly name: string;
  /** Policies that see every try of every call; a test counts round trips with one. */
  readonly policies?: readonly PipelinePolicy[];
  /** Real time, for signatures. */
  readonly now?: () => Date;
  /** Where Resource Manager is asked how the account is set up. */
  readonly inspect?: Inspect | undefined;
};

/** All clients made from a service client share its pipeline, so one place gives every call its policies. */
class BundleServiceClient extends BlobServiceClient {
  constructor(url: string, credential: BlobServiceClient["credential"], policies: readonly PipelinePolicy[]) {
    super(url, credential, { retryOptions: clientOptions().retryOptions });
    for (const policy of storagePolicies(policies)) {
      this.storageClientContext.pipeline.addPolicy(policy, { afterPhase: "Retry" });
    }
  }
}

/** The account's client, with the time limits and retries that every storage client has. */
export function openService(options: BundleAccountOptions): BlobServiceClient {
  const policies = options.policies ?? [];
  if ("credential" in options) return new BundleServiceClient(options.blobEndpoint, options.credential, policies);
  const { url, credential } = BlobServiceClient.fromConnectionString(options.connectionString);
  return new BundleServiceClient(url, credential, policies);
}
