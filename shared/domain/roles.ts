/** Roles of Azure Stack Hub that logs are collected by. Any other name in a bundle is its stamp's own word. */

/** As published for `Get-AzureStackLog -FilterByRole`. */
const publishedRoles = `
  ACS ACSBlob ACSDownloadService ACSFabric ACSFrontEnd ACSMetrics ACSMigrationService ACSMonitoringService ACSSettingsService ACSTableMaster
  ACSTableServer ACSWac ADFS ApplicationController ASAppGateway AzureBridge AzureMonitor BareMetal BRP CA CacheService Compute CPI CRP
  DeploymentMachine DiskRP Domain ECE EventAdminRP EventRP ExternalDNS FabricRing FabricRingServices FirstTierAggregationService FRP Gateway
  HealthMonitoring HintingServiceV2 HRP IBC InfraServiceController KeyVaultAdminResourceProvider KeyVaultControlPlane KeyVaultDataPlane
  KeyVaultInternalControlPlane KeyVaultInternalDataPlane KeyVaultNamingService MDM MetricsAdminRP MetricsRP MetricsServer MetricsStoreService
  MonAdminRP MonRP NC NonPrivilegedAppGateway NRP OboService OEM OnboardRP PXE QueryServiceCoordinator QueryServiceWorker SeedRing
  SeedRingServices SLB SQL SRP Storage StorageController SupportBridgeController SupportBridgeRP SupportRing SupportRingServices URP UsageBridge
  VirtualMachines WAS WASPUBLIC`
  .trim()
  .split(/\s+/);

const byLowerCase = new Map(publishedRoles.map((role) => [role.toLowerCase(), role]));

/** What stands for every role outside the list, and for files of none. */
export const otherRole = "other";

/** The role as it is published, so that no word of a bundle's content passes. */
export const shownRole = (role: string | undefined): string =>
  (role === undefined ? undefined : byLowerCase.get(role.toLowerCase())) ?? otherRole;

/** In the order of the published list, `other` last. */
export const roleOrder = (role: string): number => {
  const place = publishedRoles.indexOf(role);
  return place < 0 ? publishedRoles.length : place;
};

/** Whether a grant of these roles lends a file of that role; absent roles are all. */
export const lendsRole = (roles: readonly string[] | undefined, role: string | undefined): boolean =>
  roles === undefined || (role !== undefined && roles.some((each) => each.toLowerCase() === role.toLowerCase()));
