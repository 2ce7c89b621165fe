// Bundles and nothing else. The service deletes them by day 80; the rules here are the independent net under that (invariant 3).

import { accountProperties, blobServiceProperties, Redundancy, Tags } from 'common.bicep'

@description('Name of the account.')
param name string

@description('Region of the account.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Redundancy of the account.')
param redundancy Redundancy

// Days are counted from each blob's own creation. Rules may lag by days, hence 83 and not 89.
var deletions = [
  // Without a prefix: whatever container somebody adds here one day holds bundle content too.
  { name: 'everything', days: 83, containers: {} }
  // No copy starts after day 4, so what is left in a landing container after a week is of no use to anybody.
  { name: 'landing', days: 7, containers: { prefixMatch: ['landing-'] } }
  // The service drops what was lent in parts a day after lending.
  { name: 'lent', days: 2, containers: { prefixMatch: ['lent-'] } }
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: accountProperties

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
