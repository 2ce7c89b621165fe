// What must not be rewritten by anybody, the service and its administrators included: checkpoints and the daily export of the ledger.
// They hold ids, codes and hashes, no names and no bytes of a bundle (invariant 9), so they may outlast everything else.

import { blobServiceProperties, closedAccount, FarRedundancy, Tags } from 'common.bicep'

@description('Name of the account.')
param name string

@description('Region of the account.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Redundancy of the account.')
param redundancy FarRedundancy

@description('Days for which nothing that was written can be changed or deleted. The policy is deployed unlocked; infra/hooks/lock-records.sh locks it.')
param retentionDays int

@description('Workspace that is told who read, wrote or tried to delete.')
param workspaceId string

var containerNames = ['checkpoints', 'ledger']

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: closedAccount

  resource blobs 'blobServices' = {
    name: 'default'
    properties: blobServiceProperties
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for containerName in containerNames: {
    parent: account::blobs
    name: containerName
    properties: { publicAccess: 'None' }
  }
]

resource written 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-01-01' = [
  for (containerName, index) in containerNames: {
    parent: container[index]
    name: 'default'
    properties: {
      immutabilityPeriodSinceCreationInDays: retentionDays
      allowProtectedAppendWrites: false
    }
  }
]

resource uses 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'uses'
  scope: account::blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}
