// The whole service: two function apps of one package, their accounts, their key, their logs, and what each may do with them. Bundles are in
// a resource group of their own, where a policy refuses whatever would keep deleted data.
// `azd up` deploys it; `npm run infra:check` compiles it, lints it, and holds it to the facts in facts.ts.

targetScope = 'subscription'

import { FarRedundancy, Redundancy } from 'modules/common.bicep'

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
  @description('It takes no new bundles; take it out once the last has gone, after 90 days.')
  draining: bool?
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
  @description('Files of a drop box that become bundles, zips first; the rest is refused.')
  @minValue(1)
  @maxValue(10000)
  MAX_DROP_BOX_FILES: int?
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
  @description('Collector that metrics and spans are sent to by OTLP over HTTP. Not set: none.')
  OTEL_EXPORTER_OTLP_ENDPOINT: string?
  @description('Scope of the app registration that a token of a person must hold.')
  TOKEN_SCOPE: string?
  @description('Applications that may get tokens for this service: JSON object from a role to their client ids. Not set: all may.')
  TRUSTED_CLIENT_IDS: string?
}

@sealed()
type Cloud = {
  @description('Domain of storage endpoints, without a leading dot.')
  storage: string
  @description('Domain of Key Vault, with its leading dot.')
  keyVault: string
  @description('Origin of Entra ID, with its trailing slash.')
  login: string
  @description('Origin of Azure Resource Manager.')
  resourceManager: string
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

@description('Origin that stamps use and sign, such as https://intake.example.com. Not given: the host name of the app intake.')
param intakeOrigin string?

@description('Origin that people and services use. Not given: the host name of the app access. The same as intakeOrigin where a gateway of your own sends requests with a bearer token to access and all others to intake.')
param accessOrigin string?

@description('Accounts that hold bundles. More can be added at any time; one that ever held a bundle stays until its last bundle is gone.')
@minLength(1)
param bundleAccounts BundleAccount[] = [{ key: 'bundles1' }]

@description('Settings of shared/config.ts that differ from their defaults here.')
param overrides Overrides = {}

@description('Redundancy of bundle and host accounts. Zone-redundant where the region has zones.')
param redundancy Redundancy = 'Standard_ZRS'

@description('Redundancy of rows, ledger and records. Zone-redundant where the region has zones.')
param farRedundancy FarRedundancy = 'Standard_RAGZRS'

@description('Most instances of each app that may run at once.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('Days for which checkpoints and the exported ledger cannot be changed or deleted by anybody.')
@minValue(90)
@maxValue(3650)
param recordRetentionDays int = 2555

@description('Who is told of alerts, and when the budget runs out.')
@minLength(3)
param alertEmail string

@description('Where on-call finds the runbook; each alert names its section of it.')
param runbook string = 'docs/runbook.md'

@description('Budget of a month, in the currency of the subscription. 80 % and a forecast of 100 % are told.')
@minValue(1)
param monthlyBudget int = 500

@description('First day of the month from which the budget counts.')
param budgetStartsOn string = utcNow('yyyy-MM-01')

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Where this cloud keeps things. A deployment takes the cloud that it is in; only the check names one.')
param cloud Cloud = {
  storage: environment().suffixes.storage
  keyVault: environment().suffixes.keyvaultDns
  login: environment().authentication.loginEndpoint
  resourceManager: environment().resourceManager
}

var tags = { 'azd-env-name': environmentName }
var token = uniqueString(subscription().id, environmentName, location)
var apps = ['intake', 'access']
var identityNames = { intake: 'id-intake-${token}', access: 'id-access-${token}' }
var hostAccountNames = { intake: 'hosti${token}', access: 'hosta${token}' }
var stateAccountName = 'state${token}'
var recordAccountName = 'records${token}'
var bundleAccountNames = [for account in bundleAccounts: '${account.key}${token}']
var vaultName = 'kv-${token}'
var keyName = 'receipts'
var telemetryName = 'appi-${token}'
var packageContainer = 'package'
var origins = { intake: intakeOrigin, access: accessOrigin }

// Placement chooses among these, and a bundle's row keeps the name (DESIGN.md, Blobs).
var bundleAccountSettings = [
  for (account, index) in bundleAccounts: {
    name: bundleAccountNames[index]
    blobEndpoint: 'https://${bundleAccountNames[index]}.blob.${cloud.storage}'
    // What it keeps of deleted data is asked of Resource Manager.
    resourceId: '${subscription().id}/resourceGroups/rg-${environmentName}-bundles/providers/Microsoft.Storage/storageAccounts/${bundleAccountNames[index]}'
    ...(account.?geographies == null ? {} : { geographies: account.?geographies })
    ...(account.?draining == null ? {} : { draining: account.?draining })
  }
]

// By name and not by output: so `bicep snapshot` can tell which resource is meant.
var here = '${subscription().id}/resourceGroups/rg-${environmentName}/providers'
var accountIds = {
  intake: '${here}/Microsoft.Storage/storageAccounts/${hostAccountNames.intake}'
  access: '${here}/Microsoft.Storage/storageAccounts/${hostAccountNames.access}'
  state: '${here}/Microsoft.Storage/storageAccounts/${stateAccountName}'
  records: '${here}/Microsoft.Storage/storageAccounts/${recordAccountName}'
}
var vaultId = '${here}/Microsoft.KeyVault/vaults/${vaultName}'

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

resource bundleGroup 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}-bundles'
  location: location
  tags: tags
}

// Whatever would keep what was deleted. A delete must be a delete (invariant 3).
resource keepsNothing 'Microsoft.Authorization/policyDefinitions@2025-01-01' = {
  name: 'a-delete-is-a-delete-${token}'
  properties: {
    displayName: 'Storage keeps no deleted data'
    description: 'Denies soft delete, versions, change feed, point-in-time restore and object replication.'
    policyType: 'Custom'
    mode: 'All'
    policyRule: {
      if: {
        anyOf: [
          { field: 'type', equals: 'Microsoft.Storage/storageAccounts/objectReplicationPolicies' }
          {
            allOf: [
              { field: 'type', equals: 'Microsoft.Storage/storageAccounts/blobServices' }
              {
                anyOf: [
                  { field: 'Microsoft.Storage/storageAccounts/blobServices/deleteRetentionPolicy.enabled', equals: 'true' }
                  { field: 'Microsoft.Storage/storageAccounts/blobServices/containerDeleteRetentionPolicy.enabled', equals: 'true' }
                  { field: 'Microsoft.Storage/storageAccounts/blobServices/isVersioningEnabled', equals: 'true' }
                  { field: 'Microsoft.Storage/storageAccounts/blobServices/changeFeed.enabled', equals: 'true' }
                  { field: 'Microsoft.Storage/storageAccounts/blobServices/restorePolicy.enabled', equals: 'true' }
                ]
              }
            ]
          }
        ]
      }
      then: { effect: 'deny' }
    }
  }
}

module retentionPolicy 'modules/retentionPolicy.bicep' = {
  scope: bundleGroup
  params: { definitionId: keepsNothing.id }
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

module network 'modules/network.bicep' = {
  scope: group
  params: {
    name: token
    location: location
    tags: tags
    storageDomain: cloud.storage
    vaultDomain: cloud.keyVault
  }
}

module intakeIdentity 'modules/identity.bicep' = {
  scope: group
  params: { name: identityNames.intake, location: location, tags: tags }
}

module accessIdentity 'modules/identity.bicep' = {
  scope: group
  params: { name: identityNames.access, location: location, tags: tags }
}

module hostAccount 'modules/hostAccount.bicep' = [
  for app in apps: {
    scope: group
    params: {
      name: hostAccountNames[app]
      location: location
      tags: tags
      redundancy: redundancy
      packageContainer: packageContainer
    }
  }
]

module stateAccount 'modules/stateAccount.bicep' = {
  scope: group
  params: {
    name: stateAccountName
    location: location
    tags: tags
    redundancy: farRedundancy
    workspaceId: monitoring.outputs.workspaceId
  }
}

module recordAccount 'modules/recordAccount.bicep' = {
  scope: group
  params: {
    name: recordAccountName
    location: location
    tags: tags
    redundancy: farRedundancy
    retentionDays: recordRetentionDays
    workspaceId: monitoring.outputs.workspaceId
  }
}

module bundleAccount 'modules/bundleAccount.bicep' = [
  for (account, index) in bundleAccounts: {
    scope: bundleGroup
    params: {
      name: bundleAccountNames[index]
      location: account.?location ?? location
      tags: tags
      redundancy: redundancy
      workspaceId: monitoring.outputs.workspaceId
    }
    dependsOn: [retentionPolicy]
  }
]

module signingKey 'modules/signingKey.bicep' = {
  scope: group
  params: {
    vaultName: vaultName
    keyName: keyName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module hostEndpoint 'modules/privateEndpoint.bicep' = [
  for app in apps: {
    scope: group
    params: {
      name: 'pe-host-${app}'
      location: location
      tags: tags
      subnetId: network.outputs.endpointsSubnetId
      targetId: accountIds[app]
      service: 'blob'
      zoneId: network.outputs.zoneIds.blob
    }
    dependsOn: [hostAccount]
  }
]

module tableEndpoint 'modules/privateEndpoint.bicep' = {
  scope: group
  params: {
    name: 'pe-state-table'
    location: location
    tags: tags
    subnetId: network.outputs.endpointsSubnetId
    targetId: accountIds.state
    service: 'table'
    zoneId: network.outputs.zoneIds.table
  }
  dependsOn: [stateAccount]
}

module queueEndpoint 'modules/privateEndpoint.bicep' = {
  scope: group
  params: {
    name: 'pe-state-queue'
    location: location
    tags: tags
    subnetId: network.outputs.endpointsSubnetId
    targetId: accountIds.state
    service: 'queue'
    zoneId: network.outputs.zoneIds.queue
  }
  dependsOn: [stateAccount]
}

module recordEndpoint 'modules/privateEndpoint.bicep' = {
  scope: group
  params: {
    name: 'pe-records'
    location: location
    tags: tags
    subnetId: network.outputs.endpointsSubnetId
    targetId: accountIds.records
    service: 'blob'
    zoneId: network.outputs.zoneIds.blob
  }
  dependsOn: [recordAccount]
}

module vaultEndpoint 'modules/privateEndpoint.bicep' = {
  scope: group
  params: {
    name: 'pe-vault'
    location: location
    tags: tags
    subnetId: network.outputs.endpointsSubnetId
    targetId: vaultId
    service: 'vault'
    zoneId: network.outputs.zoneIds.vault
  }
  dependsOn: [signingKey]
}

module intakeRoles 'modules/roles.bicep' = {
  scope: group
  params: {
    app: 'intake'
    identityName: identityNames.intake
    principalId: intakeIdentity.outputs.principalId
    hostAccountName: hostAccountNames.intake
    stateAccountName: stateAccountName
    vaultName: vaultName
    keyName: keyName
    telemetryName: telemetryName
  }
  dependsOn: [hostAccount, stateAccount, signingKey, monitoring]
}

module accessRoles 'modules/roles.bicep' = {
  scope: group
  params: {
    app: 'access'
    identityName: identityNames.access
    principalId: accessIdentity.outputs.principalId
    hostAccountName: hostAccountNames.access
    stateAccountName: stateAccountName
    vaultName: vaultName
    keyName: keyName
    telemetryName: telemetryName
  }
  dependsOn: [hostAccount, stateAccount, signingKey, monitoring]
}

module recordRole 'modules/recordRole.bicep' = {
  scope: group
  params: {
    identityName: identityNames.access
    principalId: accessIdentity.outputs.principalId
    accountName: recordAccountName
  }
  dependsOn: [recordAccount]
}

module intakeBundleRoles 'modules/bundleRoles.bicep' = [
  for (account, index) in bundleAccounts: {
    scope: bundleGroup
    params: {
      app: 'intake'
      identityName: identityNames.intake
      principalId: intakeIdentity.outputs.principalId
      accountName: bundleAccountNames[index]
    }
    dependsOn: [bundleAccount]
  }
]

module accessBundleRoles 'modules/bundleRoles.bicep' = [
  for (account, index) in bundleAccounts: {
    scope: bundleGroup
    params: {
      app: 'access'
      identityName: identityNames.access
      principalId: accessIdentity.outputs.principalId
      accountName: bundleAccountNames[index]
    }
    dependsOn: [bundleAccount]
  }
]

module arrivals 'modules/arrivals.bicep' = [
  for (account, index) in bundleAccounts: {
    scope: bundleGroup
    params: {
      topicName: 'evgt-${bundleAccountNames[index]}'
      accountName: bundleAccountNames[index]
      location: account.?location ?? location
      tags: tags
    }
    dependsOn: [bundleAccount]
  }
]

module arrivalsRole 'modules/arrivalsRole.bicep' = [
  for (account, index) in bundleAccounts: {
    scope: group
    params: {
      stateAccountName: stateAccountName
      topicName: 'evgt-${bundleAccountNames[index]}'
      principalId: arrivals[index].outputs.principalId
    }
    dependsOn: [stateAccount]
  }
]

module arrivalsSubscription 'modules/arrivalsSubscription.bicep' = [
  for (account, index) in bundleAccounts: {
    scope: bundleGroup
    params: { topicName: 'evgt-${bundleAccountNames[index]}', stateAccountId: accountIds.state }
    dependsOn: [arrivalsRole]
  }
]

// After the roles and the endpoints: an app that starts without them would fail its first minutes.
module app 'modules/app.bicep' = [
  for (app, index) in apps: {
    scope: group
    params: {
      app: app
      name: 'func-${app}-${token}'
      planName: 'plan-${app}-${token}'
      location: location
      tags: tags
      identityName: identityNames[app]
      subnetId: app == 'intake' ? network.outputs.intakeSubnetId : network.outputs.accessSubnetId
      workspaceId: monitoring.outputs.workspaceId
      maximumInstances: maximumInstances
      hostBlobEndpoint: 'https://${hostAccountNames[app]}.blob.${cloud.storage}/'
      packageContainer: packageContainer
    }
    dependsOn: [
      intakeRoles
      accessRoles
      intakeBundleRoles
      accessBundleRoles
      hostEndpoint
      tableEndpoint
      queueEndpoint
      vaultEndpoint
      recordEndpoint
      recordRole
    ]
  }
]

module appSettings 'modules/appSettings.bicep' = [
  for (name, index) in apps: {
    scope: group
    params: {
      app: name
      name: 'func-${name}-${token}'
      identityName: identityNames[name]
      service: {
        publicOrigin: origins[name] ?? app[index].outputs.origin
        otherOrigin: origins[apps[1 - index]] ?? app[1 - index].outputs.origin
        hostBlobEndpoint: 'https://${hostAccountNames[name]}.blob.${cloud.storage}/'
        tableEndpoint: 'https://${stateAccountName}.table.${cloud.storage}'
        queueEndpoint: 'https://${stateAccountName}.queue.${cloud.storage}'
        bundleAccounts: bundleAccountSettings
        resourceManager: cloud.resourceManager
        recordEndpoint: 'https://${recordAccountName}.blob.${cloud.storage}/'
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
  }
]

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
    runbook: runbook
  }
}

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: 'budget-${environmentName}'
  properties: {
    category: 'Cost'
    amount: monthlyBudget
    timeGrain: 'Monthly'
    timePeriod: { startDate: budgetStartsOn }
    filter: { dimensions: { name: 'ResourceGroupName', operator: 'In', values: [group.name, bundleGroup.name] } }
    notifications: {
      spent: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: [alertEmail]
      }
      forecast: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: [alertEmail]
      }
    }
  }
}

@description('Where stamps are answered, unless a domain of your own stands before it.')
output INTAKE_ORIGIN string = app[0].outputs.origin
@description('Where people and services are answered, unless a domain of your own stands before it.')
output ACCESS_ORIGIN string = app[1].outputs.origin
@description('The group of the apps, where azd finds them.')
output AZURE_RESOURCE_GROUP string = group.name
@description('The account whose policies infra/hooks/lock-records.sh locks.')
output RECORD_ACCOUNT string = recordAccountName
