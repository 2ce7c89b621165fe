// What azd fills in; it asks for the first two itself, and `azd env set NAME value` sets each of these for one environment.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param tokenAudience = readEnvironmentVariable('TOKEN_AUDIENCE')

param alertEmail = readEnvironmentVariable('ALERT_EMAIL')

var intakeDomain = readEnvironmentVariable('INTAKE_PUBLIC_ORIGIN', '')
param intakeOrigin = empty(intakeDomain) ? null : intakeDomain

var accessDomain = readEnvironmentVariable('ACCESS_PUBLIC_ORIGIN', '')
param accessOrigin = empty(accessDomain) ? null : accessDomain
