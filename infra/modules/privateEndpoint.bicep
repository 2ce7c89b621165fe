// One way into a resource from the network, and the name by which it is found there.

import { Tags } from 'common.bicep'

@description('Name of the endpoint.')
param name string

@description('Region of the network.')
param location string

@description('Tags of the endpoint.')
param tags Tags

@description('Subnet that gives it an address.')
param subnetId string

@description('Resource that it leads to.')
param targetId string

@description('Which of the resource\'s services.')
param service 'blob' | 'queue' | 'table' | 'vault'

@description('DNS zone that names it.')
param zoneId string

resource endpoint 'Microsoft.Network/privateEndpoints@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: service, properties: { privateLinkServiceId: targetId, groupIds: [service] } }
    ]
  }

  resource names 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: service, properties: { privateDnsZoneId: zoneId } }]
    }
  }
}
