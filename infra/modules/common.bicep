// How this service keeps every one of its storage accounts: no keys, no public blobs, no second chance for a deleted blob.

@export()
@description('Tags of every resource; azd finds its environment by `azd-env-name`.')
type Tags = {
  'azd-env-name': string
}

@export()
@description('Redundancy of an account. Never geo-redundant: a bundle stays in the region it was sent to, and a delete has no far copy to wait for.')
type Redundancy = 'Standard_LRS' | 'Standard_ZRS'

@export()
@description('An account of BUNDLE_ACCOUNTS, as shared/config.ts reads it.')
type BundleAccountSetting = {
  name: string
  blobEndpoint: string
  geographies: string[]?
}

@export()
var accountProperties = {
  accessTier: 'Hot'
  allowBlobPublicAccess: false
  allowCrossTenantReplication: false
  // A key would be a way around every role and every grant; with keys off, a SAS can only be a user-delegation SAS.
  allowSharedKeyAccess: false
  defaultToOAuthAuthentication: true
  minimumTlsVersion: 'TLS1_2'
  // Stamps send their bytes straight to storage, from anywhere on the internet (DESIGN.md, One idea).
  publicNetworkAccess: 'Enabled'
  supportsHttpsTrafficOnly: true
}

// Defaults are written out as well: a delete must be a delete (invariant 3) also where somebody once switched it otherwise.
@export()
var blobServiceProperties = {
  changeFeed: { enabled: false }
  containerDeleteRetentionPolicy: { enabled: false }
  deleteRetentionPolicy: { enabled: false }
  isVersioningEnabled: false
  restorePolicy: { enabled: false }
}
