// How this service keeps every one of its storage accounts: no keys, no public blobs, no second chance for a deleted blob.

@export()
@description('Tags of every resource; azd finds its environment by `azd-env-name`.')
type Tags = {
  'azd-env-name': string
}

@export()
@description('Redundancy of an account in its own region. Bundles have no far copy: they stay in the region they were sent to, and a delete has nothing to wait for.')
type Redundancy = 'Standard_LRS' | 'Standard_ZRS'

@export()
@description('Redundancy of rows and ledger, which must outlive a region: with a readable copy in the paired one.')
type FarRedundancy = 'Standard_RAGRS' | 'Standard_RAGZRS'

@export()
@description('An account of BUNDLE_ACCOUNTS, as shared/config.ts reads it.')
type BundleAccountSetting = {
  name: string
  blobEndpoint: string
  resourceId: string
  geographies: string[]?
  draining: bool?
}

@export()
@description('The two apps of the one package; shared/apps.ts says what each serves.')
type AppName = 'intake' | 'access'

@export()
@description('Containers of a bundle account, by how their names begin, whose blobs an app may work with.')
type ContainerRules = {
  @description('Reads blobs it knows the name of.')
  read: string[]
  @description('Lists blobs.')
  list: string[]
  write: string[]
  delete: string[]
}

var everyAccount = {
  accessTier: 'Hot'
  allowBlobPublicAccess: false
  allowCrossTenantReplication: false
  // A key would be a way around every role and every grant; with keys off, a SAS can only be a user-delegation SAS.
  allowSharedKeyAccess: false
  defaultToOAuthAuthentication: true
  minimumTlsVersion: 'TLS1_2'
  supportsHttpsTrafficOnly: true
}

@export()
@description('An account that is reached through its private endpoints alone.')
var closedAccount = {
  ...everyAccount
  publicNetworkAccess: 'Disabled'
}

@export()
@description('An account that no network may reach, but for private endpoints and Event Grid, which delivers from outside of every network.')
var eventsOnlyAccount = {
  ...everyAccount
  publicNetworkAccess: 'Enabled'
  networkAcls: { defaultAction: 'Deny', bypass: 'AzureServices' }
}

@export()
@description('An account whose endpoint faces the internet: stamps send their bytes straight to storage, from anywhere (DESIGN.md, One idea).')
var openAccount = {
  ...everyAccount
  publicNetworkAccess: 'Enabled'
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
