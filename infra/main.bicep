// The whole service in one resource group: one function app, its accounts, its key, its logs, and what it may do with them.
// `azd up` deploys it; `npm run infra:check` compiles it, lints it, and holds it to the facts in facts.ts.

targetScope = 'subscription'

import { Redundancy } from 'modules/common.bicep'

@sealed()
type BundleAccount = {
  @description('Short name, lower case. The account is named after it and every bundle\'s row records that name, so it never changes.')
  @minLength(1)
  @maxLength(11)
  key: string
  @description('Region of the account; the service\'s own where it is not given.')
  location: string?
  @description('Geographies whose stamps it takes; every one where it is not given.')
  geographies: string[]?
}

@sealed()
type Overrides = {
  @description('Days after creation when a bundle\'s bytes are deleted. Above 82 the service does not start (invariant 3).')
  @minValue(1)
  @maxValue(82)
  PURGE_AFTER_DAYS: int?
  @description('Hours in which an operator\'s erasure can be taken back.')
  @minValue(0)
  @maxValue(168)
  ERASE_DELAY_HOURS: int?
  @description('Days after the last of a bundle\'s cases closed when its bytes are deleted. Not set: closing a case deletes nothing.')
  @minValue(0)
  @maxValue(82)
  PURGE_AFTER_CASE_CLOSE_DAYS: int?
  @description('Largest bundle, in bytes.')
  @minValue(1)
  MAX_BUNDLE_BYTES: int?
  @description('Days after which whoever was not met since is forgotten: names and free texts.')
  @minValue(90)
  @maxValue(3650)
  METADATA_RETENTION_DAYS: int?
  @description('Whether the limits on rates below hold.')
  RATE_LIMITS: ('on' | 'off')?
  @description('Uploads that one stamp may have open at a time.')
  @minValue(1)
  @maxValue(1000)
  STAMP_MAX_OPEN_UPLOADS: int?
  @description('Bundles that one stamp may begin in a UTC day.')
  @minValue(1)
  @maxValue(10000)
  STAMP_MAX_BUNDLES_PER_DAY: int?
  @description('Bytes that one stamp may announce in a UTC day; the first bundle of a day may be larger.')
  @minValue(1)
  STAMP_MAX_BYTES_PER_DAY: int?
  @description('Minutes for which no second proactive bundle is taken for the same fault of a stamp.')
  @minValue(0)
  @maxValue(1440)
  SAME_FAULT_QUIET_MINUTES: int?
  @description('Bytes that all stamps together may announce in a UTC day; counted to about a minute.')
  @minValue(1)
  SERVICE_MAX_BYTES_PER_DAY: int?
  @description('Oldest stamp version whose bundles are taken, such as 1.2301.0.0. Not set: any.')
  MIN_STAMP_VERSION: string?
  @description('Oldest version of the reference client that may begin a bundle. Not set: any. Other clients are not asked.')
  MIN_CLIENT_VERSION: string?
}

@sealed()
type Cloud = {
  @description('Domain of storage endpoints, without a leading dot.')
  storage: string
  @description('Domain of Key Vault, with its leading dot.')
  keyVault: string
  @description('Origin of Entra ID, with its trailing slash.')
  login: string
}

@description('Name of the azd environment: it names the resource group and, hashed, everything in it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of everything but the bundle accounts that name their own.')
@minLength(1)
param location string

@description('Client id of the app registration that access tokens must be for. Made once by hand: it carries the four app roles.')
@minLength(1)
param tokenAudience string

@description('Tenant that access tokens must come from.')
param tokenTenantId string = subscription().tenantId

@description('Origin that clients use and stamps sign, such as https://intake.example.com. Not given: the app\'s own host name.')
param publicOrigin string?

@description('Accounts that hold bundles. More can be added at any time; one that ever held a bundle stays until its last bundle is gone.')
@minLength(1)
param bundleAccounts BundleAccount[] = [{ key: 'bundles1' }]

@description('Settings of shared/config.ts that differ from their defaults here.')
param overrides Overrides = {}

@description('Redundancy of every account. Zone-redundant where the region has zones.')
param redundancy Redundancy = 'Standard_ZRS'

@description('Most instances of the app that may run at once.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Where this cloud keeps things. A deployment takes the cloud that it is in; only the check names one.')
param cloud Cloud = {
  storage: environment().suffixes.storage
  keyVault: environment().suffixes.keyvaultDns
  login: environment().authentication.loginEndpoint
}

var tags = { 'azd-env-name': environmentName }
var token = uniqueString(subscription().id, environmentName, location)
var identityName = 'id-${token}'
var hostAccountName = 'host${token}'
var stateAccountName = 'state${token}'
var bundleAccountNames = [for account in bundleAccounts: '${account.key}${token}']
var vaultName = 'kv-${token}'
var keyName = 'receipts'
var telemetryName = 'appi-${token}'
var packageContainer = 'package'

// Placement chooses among these, and a bundle's row keeps the name (DESIGN.md, Blobs).
var bundleAccountSettings = [
  for (account, index) in bundleAccounts: {
    name: bundleAccountNames[index]
    blobEndpoint: 'https://${bundleAccountNames[index]}.blob.${cloud.storage}'
    ...(account.?geographies == null ? {} : { geographies: account.?geographies })
  }
]

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { name: identityName, location: location, tags: tags }
}

module hostAccount 'modules/hostAccount.bicep' = {
  scope: group
  params: {
    name: hostAccountName
    location: location
    tags: tags
    redundancy: redundancy
    packageContainer: packageContainer
  }
}

module stateAccount 'modules/stateAccount.bicep' = {
  scope: group
  params: { name: stateAccountName, location: location, tags: tags, redundancy: redundancy }
}

module bundleAccount 'modules/bundleAccount.bicep' = [
  for (account, index) in bundleAccounts: {
    scope: group
    params: {
      name: bundleAccountNames[index]
      location: account.?location ?? location
      tags: tags
      redundancy: redundancy
    }
  }
]

module signingKey 'modules/signingKey.bicep' = {
  scope: group
  params: { vaultName: vaultName, keyName: keyName, location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    workspaceName: 'log-${token}'
    componentName: telemetryName
    location: location
    tags: tags
    retentionDays: logRetentionDays
  }
}

module roles 'modules/roles.bicep' = {
  scope: group
  params: {
    identityName: identityName
    principalId: identity.outputs.principalId
    hostAccountName: hostAccountName
    stateAccountName: stateAccountName
    bundleAccountNames: bundleAccountNames
    vaultName: vaultName
    keyName: keyName
    telemetryName: telemetryName
  }
  dependsOn: [hostAccount, stateAccount, bundleAccount, signingKey, monitoring]
}

// After the roles: an app that starts without them would fail its first minutes.
module app 'modules/app.bicep' = {
  scope: group
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityName: identityName
    maximumInstances: maximumInstances
    service: {
      publicOrigin: publicOrigin
      hostBlobEndpoint: 'https://${hostAccountName}.blob.${cloud.storage}/'
      packageContainer: packageContainer
      tableEndpoint: 'https://${stateAccountName}.table.${cloud.storage}'
      queueEndpoint: 'https://${stateAccountName}.queue.${cloud.storage}'
      bundleAccounts: bundleAccountSettings
      signingKeyId: 'https://${vaultName}${cloud.keyVault}/keys/${keyName}'
      telemetry: monitoring.outputs.connectionString
      token: {
        issuer: '${cloud.login}${tokenTenantId}/v2.0'
        audience: tokenAudience
        tenantId: tokenTenantId
        jwksUrl: '${cloud.login}${tokenTenantId}/discovery/v2.0/keys'
      }
      overrides: mapValues(overrides, value => string(value))
    }
  }
  dependsOn: [roles]
}

@description('Where the service answers, unless a domain of your own stands before it.')
output INTAKE_ORIGIN string = app.outputs.origin
