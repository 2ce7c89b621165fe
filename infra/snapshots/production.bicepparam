// One region, with domains of its own before both apps.
using '../main.bicep'

param environmentName = 'production'
param location = 'westeurope'
param tokenAudience = '11111111-1111-4111-8111-111111111111'
param intakeOrigin = 'https://intake.example.com'
param accessOrigin = 'https://access.example.com'
param alertEmail = 'on-call@example.com'
param runbook = 'https://wiki.example.com/stamp-intake/runbook'
param cloud = { storage: 'storage.example', keyVault: '.vault.example', login: 'https://login.example/', resourceManager: 'https://management.example' }
param maximumInstances = 100
param monthlyBudget = 2000
param budgetStartsOn = '2026-12-01'
