// Three geographies, two accounts each; one of all geographies takes whoever is in none of them.
using '../main.bicep'

param environmentName = 'many'
param location = 'westeurope'
param tokenAudience = '11111111-1111-4111-8111-111111111111'
param intakeOrigin = 'https://intake.example.com'
param accessOrigin = 'https://access.example.com'
param alertEmail = 'on-call@example.com'
param cloud = { storage: 'storage.example', keyVault: '.vault.example', login: 'https://login.example/', resourceManager: 'https://management.example' }
param bundleAccounts = [
  { key: 'eu1', geographies: ['Europe'] }
  { key: 'eu2', location: 'northeurope', geographies: ['Europe'] }
  { key: 'us1', location: 'eastus2', geographies: ['US', 'Canada'] }
  { key: 'us2', location: 'centralus', geographies: ['US', 'Canada'] }
  { key: 'ap1', location: 'southeastasia', geographies: ['Asia Pacific'] }
  { key: 'ap2', location: 'japaneast', geographies: ['Asia Pacific'] }
  { key: 'rest' }
]
param maximumInstances = 1000
param monthlyBudget = 20000
param budgetStartsOn = '2026-12-01'
