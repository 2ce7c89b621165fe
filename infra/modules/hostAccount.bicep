// What the Functions host of one app needs for itself: the deployed package, and blobs for the leases of its timers. Nothing of a stamp is
// in here. Each app has its own, so that neither can change what the other runs.

import { blobServiceProperties, closedAccount, Redundancy, Tags } from 'common.bicep'

@description('Name of the account.')
param name string

@description('Region of the account.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Redundancy of the account.')
param redundancy Redundancy

@description('Container that holds the deployed package.')
param packageContainer string

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

    resource package 'containers' = {
      name: packageContainer
      properties: { publicAccess: 'None' }
    }
  }
}
