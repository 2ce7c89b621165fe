// Rows, ledger and work queue (DESIGN.md, Data). Tables are made by the service as it needs them: nonces have one per day.

import { accountProperties, blobServiceProperties, Redundancy, Tags } from 'common.bicep'

@description('Name of the account.')
param name string

@description('Region of the account.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Redundancy of the account.')
param redundancy Redundancy

// The host makes no queue for its trigger, and may not find its poison queue missing when it needs it.
var queueNames = ['verify', 'verify-poison']

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

  resource queues 'queueServices' = {
    name: 'default'
  }
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [
  for queueName in queueNames: {
    parent: account::queues
    name: queueName
  }
]
