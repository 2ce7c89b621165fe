// One of the two function apps, and its settings: those of shared/config.ts in their identity form, the functions that it leaves to the
// other app, and the platform's own. None is a secret.

import { AppName, BundleAccountSetting, Tags } from 'common.bicep'

@description('Which of the apps it is; azd deploys the service of that name to it.')
param app AppName

@description('Name of the function app.')
param name string

@description('Name of its plan.')
param planName string

@description('Region of both.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Name of the identity that the app acts as.')
param identityName string

@description('Subnet that it calls out from.')
param subnetId string

@description('Workspace that it logs to.')
param workspaceId string

@description('Where the app finds what it works with, and how it is to behave there.')
param service {
  @description('Origin that its clients use, and stamps sign; the app\'s own host name where it is not given.')
  publicOrigin: string?
  @description('Blob endpoint of the app\'s host account.')
  hostBlobEndpoint: string
  @description('Container of the host account that holds the deployed package.')
  packageContainer: string
  @description('Table endpoint of the state account.')
  tableEndpoint: string
  @description('Queue endpoint of the state account.')
  queueEndpoint: string
  @description('Accounts that hold bundles.')
  bundleAccounts: BundleAccountSetting[]
  @description('Origin of Azure Resource Manager.')
  resourceManager: string
  @description('Key Vault key that signs, without a version.')
  signingKeyId: string
  @description('Blob endpoint of the records account.')
  recordEndpoint: string
  @description('Connection string of Application Insights; it names an endpoint, and lets nobody in.')
  telemetry: string
  @description('Where access tokens come from and whom they must be for.')
  token: { issuer: string, audience: string, tenantId: string, jwksUrl: string }
  @description('Settings of shared/config.ts that differ from their defaults.')
  overrides: { *: string }
}

@description('Most instances that may run at once.')
@minValue(1)
@maxValue(1000)
param maximumInstances int

// Made by `npm run docs` from the routes' permissions (infra/placement.ts).
var leftToTheOther string[] = loadJsonContent('../functions.json')[app]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: { ...tags, 'azd-service-name': app }
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: subnetId
    siteConfig: { minTlsVersion: '1.2' }
    functionAppConfig: {
      runtime: { name: 'node', version: '24' }
      scaleAndConcurrency: { instanceMemoryMB: 2048, maximumInstanceCount: maximumInstances }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${service.hostBlobEndpoint}${service.packageContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id }
        }
      }
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: {
      PUBLIC_ORIGIN: service.?publicOrigin ?? 'https://${site.properties.defaultHostName}'
      StateStorage__tableServiceUri: service.tableEndpoint
      StateStorage__queueServiceUri: service.queueEndpoint
      StateStorage__credential: 'managedidentity'
      StateStorage__clientId: identity.properties.clientId
      BUNDLE_ACCOUNTS: string(service.bundleAccounts)
      RESOURCE_MANAGER_ENDPOINT: service.resourceManager
      CHECKPOINT_CONTAINER_URL: '${service.recordEndpoint}checkpoints'
      LEDGER_EXPORT_CONTAINER_URL: '${service.recordEndpoint}ledger'
      SIGNING_KEY_ID: service.signingKeyId
      TOKEN_ISSUER: service.token.issuer
      TOKEN_AUDIENCE: service.token.audience
      TOKEN_TENANT_ID: service.token.tenantId
      TOKEN_JWKS_URL: service.token.jwksUrl
      ...service.overrides

      // The platform's own. The host needs blobs only: it has no queue or table of its own here, and no role for them.
      AzureWebJobsStorage__blobServiceUri: service.hostBlobEndpoint
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identity.properties.clientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: service.telemetry
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identity.properties.clientId}'
      ...toObject(leftToTheOther, function => 'AzureWebJobs.${function}.Disabled', function => 'true')
    }
  }

  // Publishing takes an Entra ID token; the user name and password that every app is born with stay off.
  resource noFtpPassword 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noPublishingPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: site
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
  }
}

output origin string = 'https://${site.properties.defaultHostName}'
