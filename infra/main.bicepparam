// What azd fills in; it asks for the first two itself, and `azd env set NAME value` sets each of these for one environment.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param tokenAudience = readEnvironmentVariable('TOKEN_AUDIENCE')

var ownDomain = readEnvironmentVariable('PUBLIC_ORIGIN', '')
param publicOrigin = empty(ownDomain) ? null : ownDomain
