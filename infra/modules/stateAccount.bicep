// Rows, ledger and queues (DESIGN.md, Data). Tables are made by the service as it needs them: nonces have one per day.

import { blobServiceProperties, eventsOnlyAccount, FarRedundancy, Tags } from 'common.bicep'

@description('Name of the account.')
param name string

@description('Region of the account.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Redundancy of the account.')
param redundancy FarRedundancy

@description('Workspace that is told who deleted what.')
param workspaceId string

// The host makes no queue for its trigger, and may not find its poison queue missing when it needs it. Event Grid makes none either.
var queueNames = ['verify', 'verify-poison', 'extract', 'extract-poison', 'arrivals', 'arrivals-poison']

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: eventsOnlyAccount

  resource blobs 'blobServices' = {
    name: 'default'
    properties: blobServiceProperties
  }

  resource queues 'queueServices' = {
    name: 'default'
  }

  resource tables 'tableServices' = {
    name: 'default'
  }
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [
  for queueName in queueNames: {
    parent: account::queues
    name: queueName
  }
]

resource deletions 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'deletions'
  scope: account::tables
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageDelete', enabled: true }]
  }
}
