// What one account's topic may do: send to the queue `arrivals`, and nothing else (infra/roles.ts).

@description('Account of tables and queues.')
param stateAccountName string

@description('Topic that sends; it names the assignment.')
param topicName string

@description('Object id of the topic\'s own identity.')
param principalId string

// Storage Queue Data Message Sender: adds messages, reads none.
var messageSender = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
)

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' existing = {
  name: '${stateAccountName}/default/arrivals'
}

resource sending 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(queue.id, topicName, messageSender)
  scope: queue
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: messageSender }
}
