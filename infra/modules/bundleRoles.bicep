// What one app's identity may do in one account of bundles: which blobs it may touch hangs on how their container's name begins.
// infra/roles.ts holds the same rules; `npm run infra:check` compares them.

import { AppName, ContainerRules } from 'common.bicep'

@description('Which app the identity is of.')
param app AppName

@description('Name of the identity; it names the assignments, so that a second deployment finds the first one\'s.')
param identityName string

@description('Object id of the identity.')
param principalId string

@description('Account of bundles, in this resource group.')
param accountName string

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName
}

// Storage Blob Data Contributor: makes and deletes containers and gets the user-delegation key that signs URLs, which no condition can
// narrow; works with the blobs of the containers below.
var blobContributor = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
)

// Reader: sees how the account is set up, and no blob. The service looks whether deleted data would be kept.
var reader = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'acdd72a7-3385-48ef-bd42-f606fba81ae7'
)

var rules = app == 'intake' ? intakeRules : accessRules

// Verification reads the copy that it made, by its name; intake cannot find out what else there is, and lends nothing.
var intakeRules ContainerRules = {
  read: ['landing-', 'bundles-', 'box-']
  list: ['box-']
  write: ['landing-', 'bundles-']
  delete: ['bundles-']
}

// Lends bundles, in parts too, opens drop boxes, compares what is there with the rows. It cannot alter a bundle.
var accessRules ContainerRules = {
  read: ['landing-', 'bundles-', 'lent-', 'box-']
  list: ['bundles-', 'lent-', 'box-']
  write: ['lent-', 'box-', 'retention-probe']
  delete: ['bundles-', 'lent-']
}

func isIn(prefixes string[]) string =>
  join(
    map(
      prefixes,
      prefix => '@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringStartsWith \'${prefix}\''
    ),
    ' OR '
  )

func unless(action string) string =>
  '!(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${action}\'})'

func unlessListing() string =>
  '!(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read\'} AND SubOperationMatches{\'Blob.List\'})'

func conditionOf(rules ContainerRules) string =>
  join(
    [
      '((${unless('read')}) OR (${isIn(rules.read)}))'
      '((${unlessListing()}) OR (${isIn(rules.list)}))'
      '((${unless('write')} AND ${unless('add/action')} AND ${unless('move/action')}) OR (${isIn(rules.write)}))'
      '((${unless('delete')}) OR (${isIn(rules.delete)}))'
    ],
    ' AND '
  )

resource blobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, identityName, blobContributor)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: blobContributor
    condition: conditionOf(rules)
    conditionVersion: '2.0'
  }
}

resource settings 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, identityName, reader)
  scope: account
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: reader }
}
