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

// `container` begins the container's name; `container:pattern` asks besides that the blob's path, or the prefix of a listing, is like that.

// Verification reads the copy that it made, by its name, and what a rejection deletes, or an erasure without delay, lent files too, is listed
// under the bundle's own name; intake cannot find out what stamps there are, and lends nothing.
var intakeRules ContainerRules = {
  read: ['landing-', 'bundles-', 'lent-', 'box-']
  list: ['box-', 'bundles-:*/*', 'lent-:*/*']
  write: ['landing-', 'bundles-']
  delete: ['bundles-', 'lent-']
}

// Lends bundles, in parts too, opens drop boxes, compares what is there with the rows. It cannot alter a bundle: beside one it writes which
// paths were lent.
var accessRules ContainerRules = {
  read: ['landing-', 'bundles-', 'lent-', 'box-']
  list: ['bundles-', 'lent-', 'box-']
  write: ['lent-', 'box-', 'bundles-:*.paths/*']
  delete: ['bundles-', 'lent-']
}

var blobPath = '@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path]'
var listedPrefix = '@Request[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:prefix]'

func startsWith(prefix string) string =>
  '@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringStartsWith \'${prefix}\''

func isIn(rules string[], narrower string) string =>
  join(
    map(
      rules,
      rule =>
        contains(rule, ':')
          ? '(${startsWith(split(rule, ':')[0])} AND ${narrower} StringLike \'${split(rule, ':')[1]}\')'
          : startsWith(rule)
    ),
    ' OR '
  )

func unless(action string) string =>
  '!(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${action}\'})'

func unlessListing() string =>
  '!(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read\'} AND SubOperationMatches{\'Blob.List\'})'

func conditionOf(rules ContainerRules, path string, prefix string) string =>
  join(
    [
      '((${unless('read')}) OR (${isIn(rules.read, path)}))'
      '((${unlessListing()}) OR (${isIn(rules.list, prefix)}))'
      '((${unless('write')} AND ${unless('add/action')} AND ${unless('move/action')}) OR (${isIn(rules.write, path)}))'
      '((${unless('delete')}) OR (${isIn(rules.delete, path)}))'
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
    condition: conditionOf(rules, blobPath, listedPrefix)
    conditionVersion: '2.0'
  }
}

resource settings 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, identityName, reader)
  scope: account
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: reader }
}
