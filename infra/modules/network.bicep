// The network that the apps reach state, records, host storage and the vault through. Nothing comes in by it: HTTP reaches the apps at
// their own endpoints, and bundles travel between stamps and storage directly.

import { Tags } from 'common.bicep'

@description('Name that the network\'s parts are called after.')
param name string

@description('Region of the network.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Domain of storage endpoints, without a leading dot.')
param storageDomain string

@description('Domain of Key Vault, with its leading dot.')
param vaultDomain string

var appNames = ['intake', 'access']
var privateNames = [
  'privatelink.blob.${storageDomain}'
  'privatelink.queue.${storageDomain}'
  'privatelink.table.${storageDomain}'
  // Key Vault's private name is not its public one with a prefix.
  'privatelink${replace(vaultDomain, '.vault.', '.vaultcore.')}'
]

// What the apps send to Entra ID, Azure Monitor and Resource Manager leaves by here. Bundles do not: they take the service endpoint.
resource outbound 'Microsoft.Network/publicIPAddresses@2024-07-01' = {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource gateway 'Microsoft.Network/natGateways@2024-07-01' = {
  name: 'nat-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: outbound.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: 'vnet-${name}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
    subnets: [
      ...map(appNames, (app, index) => {
        name: app
        properties: {
          addressPrefix: '10.0.${index + 1}.0/24'
          defaultOutboundAccess: false
          natGateway: { id: gateway.id }
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
          serviceEndpoints: [{ service: 'Microsoft.Storage.Global' }]
        }
      })
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.0.0.0/24', defaultOutboundAccess: false }
      }
    ]
  }

  resource intake 'subnets' existing = {
    name: 'intake'
  }

  resource access 'subnets' existing = {
    name: 'access'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for privateName in privateNames: {
    name: privateName
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (privateName, index) in privateNames: {
    parent: zone[index]
    name: name
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

output intakeSubnetId string = network::intake.id
output accessSubnetId string = network::access.id
output endpointsSubnetId string = network::endpoints.id
output zoneIds { blob: string, queue: string, table: string, vault: string } = {
  blob: zone[0].id
  queue: zone[1].id
  table: zone[2].id
  vault: zone[3].id
}
