// The least that can be deployed: one account for bundles, local redundancy, little log, a small budget.
using '../main.bicep'

param environmentName = 'development'
param location = 'westeurope'
param tokenAudience = '11111111-1111-4111-8111-111111111111'
param alertEmail = 'developers@example.com'
param cloud = { storage: 'storage.example', keyVault: '.vault.example', login: 'https://login.example/', resourceManager: 'https://management.example' }
param redundancy = 'Standard_LRS'
param farRedundancy = 'Standard_RAGRS'
param maximumInstances = 5
param logRetentionDays = 30
param recordRetentionDays = 365
param monthlyBudget = 150
param budgetStartsOn = '2026-12-01'
