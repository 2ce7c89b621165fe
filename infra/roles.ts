/**
 * Everything that the service's identity may do in Azure, and why: the list that an auditor reads.
 * `modules/roles.bicep` deploys it; `npm run infra:check` fails where the two differ.
 */

export type Scope = "host account" | "state account" | "each bundle account" | "signing key" | "telemetry";

export type RoleGrant = {
  /** Name of the built-in role. */
  readonly role: string;
  /** Id of the built-in role, the same in every tenant. */
  readonly roleId: string;
  readonly scope: Scope;
  readonly why: string;
};

export const roleGrants: readonly RoleGrant[] = [
  {
    role: "Storage Blob Data Owner",
    roleId: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    scope: "host account",
    why: "The Functions host takes leases for its timers, and the platform reads the deployed package.",
  },
  {
    role: "Storage Table Data Contributor",
    roleId: "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    scope: "state account",
    why: "Reads and writes rows and the ledger; makes tables, and drops the nonces of past days.",
  },
  {
    role: "Storage Queue Data Contributor",
    roleId: "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    scope: "state account",
    why: "Sends and receives verification messages. Message Processor is not enough: the host updates a message to give it back.",
  },
  {
    role: "Storage Blob Data Contributor",
    roleId: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    scope: "each bundle account",
    why: "Makes and deletes containers, copies and reads blobs, and gets the key that signs user-delegation URLs.",
  },
  {
    role: "Key Vault Crypto User",
    roleId: "12338af0-0e69-4776-bea7-57ae8d297424",
    scope: "signing key",
    why: "Signs receipts, certificates and checkpoints, and reads the public half that is published.",
  },
  {
    role: "Monitoring Metrics Publisher",
    roleId: "3913510d-42f4-4e42-8a64-420c390055eb",
    scope: "telemetry",
    why: "Sends logs and metrics, which take no key.",
  },
];
