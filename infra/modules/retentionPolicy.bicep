// Refuses whatever would let an account of bundles keep deleted data. Assigned to the group that holds those accounts and nothing else.

@description('Definition to assign.')
param definitionId string

resource assignment 'Microsoft.Authorization/policyAssignments@2025-01-01' = {
  name: 'a-delete-is-a-delete'
  properties: {
    displayName: 'Bundle accounts keep no deleted data'
    policyDefinitionId: definitionId
    enforcementMode: 'Default'
    nonComplianceMessages: [
      { message: 'Nothing of a bundle may outlive day 90 (DESIGN.md, invariant 3): soft delete, versions, change feed, restore and replication stay off here.' }
    ]
  }
}
