// Who is told what, and where it says what to do: each alert is a section of docs/runbook.md. infra/alerts.json holds them.

import { Tags } from 'common.bicep'

@description('Region of the alerts.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Workspace whose logs are asked.')
param workspaceId string

@description('Who is told, by mail.')
param email string

@description('Where the runbook stands: its file in the repository, or the address of a copy that on-call reads.')
param runbook string

@sealed()
type Alert = {
  name: string
  title: string
  severity: int
  @description('How often the query is asked.')
  every: string
  @description('How far back each time.')
  window: string
  @description('How far back, where the query itself looks farther than the window.')
  reaches: string?
  @description('More rows than this raise it; any, where it is not given.')
  moreThan: int?
  query: string
}

var alerts Alert[] = loadJsonContent('../alerts.json')

resource people 'Microsoft.Insights/actionGroups@2024-10-01-preview' = {
  name: 'on-call'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'on-call'
    emailReceivers: [{ name: 'on-call', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource rule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in alerts: {
    name: alert.name
    location: location
    tags: tags
    properties: {
      displayName: alert.title
      description: 'What to do: ${runbook}#${alert.name}'
      severity: alert.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: alert.every
      windowSize: alert.window
      overrideQueryTimeRange: alert.?reaches
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: alert.?moreThan ?? 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: {
        actionGroups: [people.id]
        customProperties: { runbook: '${runbook}#${alert.name}' }
      }
    }
  }
]
