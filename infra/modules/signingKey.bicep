// The key that signs receipts, certificates and checkpoints (ES256). It never leaves the vault; its public half is published by the service.

import { Tags } from 'common.bicep'

@description('Name of the vault. A deleted vault keeps its name for 90 days, and purge protection cannot be taken back.')
param vaultName string

@description('Name of the key.')
param keyName string

@description('Region of the vault.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Workspace that is told what was signed by whom.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: vaultName
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    // Whoever could destroy this key could make every receipt that customers hold unverifiable.
    enableSoftDelete: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: 90
    // Resource Manager, which makes the key, comes as a trusted service.
    publicNetworkAccess: 'Disabled'
    networkAcls: { defaultAction: 'Deny', bypass: 'AzureServices' }
  }

  resource key 'keys' = {
    name: keyName
    properties: {
      kty: 'EC'
      curveName: 'P-256'
      keyOps: ['sign', 'verify']
      attributes: { enabled: true, exportable: false }
    }
  }
}

resource uses 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'uses'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}
