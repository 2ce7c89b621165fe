// What access may do with records: put them there and see whether they are. Their containers' policies keep it from rewriting any.

@description('Name of access\'s identity; it names the assignment.')
param identityName string

@description('Object id of the identity.')
param principalId string

@description('Account of records.')
param accountName string

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName
}

// Storage Blob Data Contributor: there is no smaller built-in role that writes.
var blobContributor = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
)

resource keeping 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, identityName, blobContributor)
  scope: account
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: blobContributor }
}
