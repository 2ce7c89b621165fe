/** A storage account's resource id in Azure Resource Manager, by its parts. */
export type AccountId = { readonly subscription: string; readonly group: string; readonly account: string };

const pattern =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Storage\/storageAccounts\/([^/]+)$/i;

/** Its parts; undefined where the text is no storage account's id. */
export function parseAccountId(resourceId: string): AccountId | undefined {
  const [, subscription, group, account] = pattern.exec(resourceId) ?? [];
  const isWhole = subscription !== undefined && group !== undefined && account !== undefined;
  return isWhole ? { subscription, group, account } : undefined;
}
