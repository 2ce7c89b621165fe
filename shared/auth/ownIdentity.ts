import type { TokenCredential } from "@azure/identity";
import { lazy } from "../lazy.ts";

/**
 * What the service signs in to Azure with: the user-assigned identity of that client id, else whatever the machine offers. One for the
 * process, so that its tokens are cached. The SDK, the largest of all, is loaded when the first token is asked for.
 */
export function ownIdentity(clientId: string | undefined): TokenCredential {
  const credential = lazy(() => load(clientId));
  return { getToken: async (scopes, options) => (await credential()).getToken(scopes, options) };
}

async function load(clientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import("@azure/identity");
  return clientId === undefined ? new DefaultAzureCredential() : new ManagedIdentityCredential({ clientId });
}
