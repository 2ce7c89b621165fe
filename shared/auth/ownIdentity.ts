import type { TokenCredential } from "@azure/identity";

/**
 * What the service signs in to Azure with: the user-assigned identity of that client id, else whatever the machine offers. One for the
 * process, so that its tokens are cached. The SDK, the largest of all, is loaded when the first token is asked for.
 */
export function ownIdentity(clientId: string | undefined): TokenCredential {
  let loaded: Promise<TokenCredential> | undefined;
  const credential = (): Promise<TokenCredential> => {
    loaded ??= load(clientId);
    return loaded;
  };
  return { getToken: async (scopes, options) => (await credential()).getToken(scopes, options) };
}

async function load(clientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import("@azure/identity");
  return clientId === undefined ? new DefaultAzureCredential() : new ManagedIdentityCredential({ clientId });
}
