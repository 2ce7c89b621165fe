// What one app's identity may do outside the bundle accounts, each with its reason. infra/roles.ts holds the same list; `npm run infra:check`
// compares them.

import { AppName } from 'common.bicep'

@description('Which app the identity is of.')
param app AppName

@description('Name of the identity; it names the assignments, so that a second deployment finds the first one\'s.')
param identityName string

@description('Object id of the identity.')
param principalId string

@description('Account of this app\'s own host.')
param hostAccountName string

@description('Account of tables and queues.')
param stateAccountName string

@description('Vault of the signing key.')
param vaultName string

@description('Signing key.')
param keyName string

@description('Application Insights component.')
param telemetryName string

resource host 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hostAccountName
}

resource state 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: stateAccountName
}

resource extractQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' existing = {
  name: '${stateAccountName}/default/extract'
}

resource extractPoisonQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' existing = {
  name: '${stateAccountName}/default/extract-poison'
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName

  resource key 'keys' existing = {
    name: keyName
  }
}

resource telemetry 'Microsoft.Insights/components@2020-02-02' existing = {
  name: telemetryName
}

// Storage Blob Data Owner: the host takes leases for its timers, and the platform reads the deployed package.
var blobOwner = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
)

// Storage Table Data Contributor: rows and ledger, and the daily nonce tables, which the service makes and drops.
var tableContributor = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
)

// Intake's triggers take messages: Storage Queue Data Contributor, for the smaller Message Processor lacks the update by which the host
// gives a failed message back. Access asks for a verification again: Storage Queue Data Message Sender.
var queueRole = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  app == 'intake' ? '974c5e8b-45b9-4653-ba55-5f855dd0fb88' : 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
)

// What access takes out of bundles to lend comes by a queue of its own.
var queueContributor = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
)

// Key Vault Crypto User: reads the public half and signs; on this key alone.
var cryptoUser = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  '12338af0-0e69-4776-bea7-57ae8d297424'
)

// Monitoring Metrics Publisher: the only way in for telemetry where keys are off.
var metricsPublisher = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  '3913510d-42f4-4e42-8a64-420c390055eb'
)

resource hostBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(host.id, identityName, blobOwner)
  scope: host
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: blobOwner }
}

resource stateTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(state.id, identityName, tableContributor)
  scope: state
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: tableContributor }
}

resource stateQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(state.id, identityName, queueRole)
  scope: state
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: queueRole }
}

resource extracting 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (app == 'access') {
  name: guid(extractQueue.id, identityName, queueContributor)
  scope: extractQueue
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: queueContributor }
}

resource extractingPoisoned 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (app == 'access') {
  name: guid(extractPoisonQueue.id, identityName, queueContributor)
  scope: extractPoisonQueue
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: queueContributor }
}

resource signing 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault::key.id, identityName, cryptoUser)
  scope: vault::key
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: cryptoUser }
}

resource publishing 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(telemetry.id, identityName, metricsPublisher)
  scope: telemetry
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: metricsPublisher }
}
