// A deployment that says everything, for infra/check.ts alone: it deploys nothing, the facts in facts.ts are read off it.
using 'main.bicep'

param environmentName = 'check'
param location = 'westeurope'
param tokenAudience = '11111111-1111-4111-8111-111111111111'
param publicOrigin = 'https://intake.example'
param cloud = { storage: 'storage.example', keyVault: '.vault.example', login: 'https://login.example/' }
param bundleAccounts = [
  { key: 'bundles1' }
  { key: 'bundles2', location: 'eastus2', geographies: ['US', 'Canada'] }
]
param overrides = {
  PURGE_AFTER_DAYS: 82
  ERASE_DELAY_HOURS: 0
  PURGE_AFTER_CASE_CLOSE_DAYS: 30
  MAX_BUNDLE_BYTES: 68719476736
  METADATA_RETENTION_DAYS: 365
}
