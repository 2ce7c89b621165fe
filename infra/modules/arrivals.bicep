// What is written into a drop box of one bundle account is announced in the queue `arrivals` of the state account.

import { Tags } from 'common.bicep'

@description('Name of the topic.')
param topicName string

@description('Account of bundles, in this resource group.')
param accountName string

@description('Region of that account.')
param location string

@description('Tags of the topic.')
param tags Tags

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName
}

// A user-assigned identity gets through no storage firewall: Event Grid delivers to such a queue as the topic itself only.
resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: topicName
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: account.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

output principalId string = topic.identity.principalId
