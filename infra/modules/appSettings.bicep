// The settings of one of the two function apps: those of shared/config.ts in their identity form, and the platform's own. None is a secret.

import { AppName, BundleAccountSetting } from 'common.bicep'

@description('Which of the apps it is: what it registers at start.')
param app AppName

@description('Name of the function app.')
param name string

@description('Name of the identity that the app acts as.')
param identityName string

@description('Where the app finds what it works with, and how it is to behave there.')
param service {
  @description('Origin that its clients use, and stamps sign.')
  publicOrigin: string
  @description('Origin of the other app, which it names for what that one serves.')
  otherOrigin: string
  @description('Blob endpoint of the app\'s host account.')
  hostBlobEndpoint: string
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

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource site 'Microsoft.Web/sites@2024-11-01' existing = {
  name: name

  resource settings 'config' = {
    name: 'appsettings'
    properties: {
      APP_ROLE: app
      PUBLIC_ORIGIN: service.publicOrigin
      OTHER_APP_ORIGIN: service.otherOrigin
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
    }
  }
}
