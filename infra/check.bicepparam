// A deployment that says everything, for infra/check.ts alone: it deploys nothing, the facts in facts.ts are read off it.
using 'main.bicep'

param environmentName = 'check'
param location = 'westeurope'
param tokenAudience = '11111111-1111-4111-8111-111111111111'
param intakeOrigin = 'https://intake.example'
param accessOrigin = 'https://access.example'
param alertEmail = 'on-call@example.com'
param budgetStartsOn = '2026-12-01'
param cloud = { storage: 'storage.example', keyVault: '.vault.example', login: 'https://login.example/', resourceManager: 'https://management.example' }
param bundleAccounts = [
  { key: 'bundles1' }
  { key: 'bundles2', location: 'eastus2', geographies: ['US', 'Canada'] }
]
param overrides = {
  PURGE_AFTER_DAYS: 82
  ERASE_DELAY_HOURS: 0
  PURGE_AFTER_CASE_CLOSE_DAYS: 30
  MAX_BUNDLE_BYTES: 68719476736
  MAX_DROP_BOX_FILES: 1000
  METADATA_RETENTION_DAYS: 365
  RATE_LIMITS: 'on'
  STAMP_MAX_OPEN_UPLOADS: 20
  STAMP_MAX_BUNDLES_PER_DAY: 60
  STAMP_MAX_BYTES_PER_DAY: 274877906944
  SAME_FAULT_QUIET_MINUTES: 240
  SERVICE_MAX_BYTES_PER_DAY: 70368744177664
  MIN_STAMP_VERSION: '1.2008.0.0'
  MIN_CLIENT_VERSION: '0.1.0'
  OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example'
  TOKEN_SCOPE: 'access_as_user'
  TRUSTED_CLIENT_IDS: '{"Cases.Sync":["22222222-2222-4222-8222-222222222222"]}'
}
