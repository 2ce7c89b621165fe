// Bundles and nothing else. The service deletes them by day 80; the rules here are the independent net under that (invariant 3).

import { blobServiceProperties, openAccount, Redundancy, Tags } from 'common.bicep'

@description('Name of the account.')
param name string

@description('Region of the account.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Redundancy of the account.')
param redundancy Redundancy

@description('Workspace that is told who read and deleted what.')
param workspaceId string

// Days are counted from each blob's own creation. Rules may lag by days, hence 83 and not 89.
var deletions = [
  // Without a prefix: whatever container somebody adds here one day holds bundle content too.
  { name: 'everything', days: 83, containers: {} }
  // No copy starts after day 4, so what is left in a landing container after a week is of no use to anybody.
  { name: 'landing', days: 7, containers: { prefixMatch: ['landing-'] } }
  // The service drops what was lent in parts a day after lending.
  { name: 'lent', days: 2, containers: { prefixMatch: ['lent-'] } }
  // A drop box is open for three days at most; what became a bundle was copied out of it.
  { name: 'box', days: 7, containers: { prefixMatch: ['box-'] } }
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: openAccount

  resource blobs 'blobServices' = {
    name: 'default'
    properties: blobServiceProperties
  }

  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          for deletion in deletions: {
            name: deletion.name
            type: 'Lifecycle'
            enabled: true
            definition: {
              filters: {
                blobTypes: ['blockBlob', 'appendBlob']
                ...deletion.containers
              }
              actions: {
                baseBlob: { delete: { daysAfterCreationGreaterThan: deletion.days } }
                snapshot: { delete: { daysAfterCreationGreaterThan: deletion.days } }
                version: { delete: { daysAfterCreationGreaterThan: deletion.days } }
              }
            }
          }
        ]
      }
    }
    dependsOn: [blobs] // Azure refuses two changes of one account's blob service at once
  }
}

// An account of its own making of every read: what the ledger says of access can be compared with it.
resource uses 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'uses'
  scope: account::blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}
