/** Azure's clouds by the domains of their services. A stamp's registration names its cloud in the same words (`DOMAIN.md`). */

type Cloud = "AzureCloud" | "AzureUSGovernment" | "AzureChinaCloud";

const domains: Readonly<Record<Cloud, readonly string[]>> = {
  AzureCloud: [
    "core.windows.net",
    "vault.azure.net",
    "management.azure.com",
    "login.microsoftonline.com",
    "sts.windows.net",
  ],
  AzureUSGovernment: [
    "core.usgovcloudapi.net",
    "vault.usgovcloudapi.net",
    "management.usgovcloudapi.net",
    "login.microsoftonline.us",
  ],
  AzureChinaCloud: [
    "core.chinacloudapi.cn",
    "vault.azure.cn",
    "management.chinacloudapi.cn",
    "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    "sts.chinacloudapi.cn",
  ],
};

const clouds = ["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"] as const satisfies readonly Cloud[];

/** The cloud that a host name is of; undefined for a domain of one's own. */
export const cloudOf = (hostname: string): Cloud | undefined =>
  clouds.find((cloud) => domains[cloud].some((domain) => hostname === domain || hostname.endsWith(`.${domain}`)));
