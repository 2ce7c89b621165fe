import { createRequire } from "node:module";

/** What every Azurite of this project is started with. */
export const azuriteArguments = [
  // Port 0: the system picks free ports, which Azurite prints, so two services never race for one.
  ...["--blobPort", "0", "--queuePort", "0", "--tablePort", "0"],
  // The newest SDK sends an API version that Azurite does not know yet.
  "--skipApiVersionCheck",
  "--disableTelemetry",
  "--silent",
] as const;

/** Path of Azurite's own entry, run by this process's Node and not by `npx`, so that its pid is Azurite's. */
export const azuriteEntry = (): string => createRequire(import.meta.url).resolve("azurite/dist/src/azurite.js");

export type StorageEndpoints = { readonly blob: string; readonly queue: string; readonly table: string };

/** The endpoints of `account` once Azurite has printed that all three services listen; `undefined` before. */
export function listeningEndpoints(output: string, account: string): StorageEndpoints | undefined {
  const origin = (service: string) =>
    new RegExp(`Azurite ${service} service is successfully listening at (https?://\\S+)`).exec(output)?.[1];
  const [blob, queue, table] = [origin("Blob"), origin("Queue"), origin("Table")];
  if (blob === undefined || queue === undefined || table === undefined) return undefined;
  return { blob: `${blob}/${account}`, queue: `${queue}/${account}`, table: `${table}/${account}` };
}

/** The connection string that the SDKs and the Functions host take. */
export function connectionString(account: { name: string; key: string }, endpoints: StorageEndpoints): string {
  const protocol = endpoints.blob.startsWith("https:") ? "https" : "http";
  return [
    `DefaultEndpointsProtocol=${protocol}`,
    `AccountName=${account.name}`,
    `AccountKey=${account.key}`,
    `BlobEndpoint=${endpoints.blob}`,
    `QueueEndpoint=${endpoints.queue}`,
    `TableEndpoint=${endpoints.table}`,
    "",
  ].join(";");
}
