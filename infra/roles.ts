import type { AppName } from "../shared/apps.ts";

/**
 * Everything that an identity of this service may do in Azure, and why: the list that an auditor reads.
 * `modules/*Role*.bicep` deploy it; `npm run infra:check` fails where the two differ.
 */

export type Scope =
  | "intake's host account"
  | "access's host account"
  | "state account"
  | "queue arrivals"
  | "queue extract"
  | "queue extract-poison"
  | "each bundle account"
  | "records account"
  | "signing key"
  | "telemetry";

/** The identity of an app, or the topic of a bundle account. */
export type Holder = AppName | "each topic";

export type RoleGrant = {
  readonly holders: readonly Holder[];
  /** Name of the built-in role. */
  readonly role: string;
  /** Id of the built-in role, the same in every tenant. */
  readonly roleId: string;
  readonly scope: Scope;
  readonly why: string;
  /** Where it holds for some containers only. */
  readonly containers?: ContainerRules;
};

/**
 * How the names of the containers begin whose blobs may be read (by name), listed, written and deleted. `container:pattern` asks besides that the
 * blob's path, or the prefix of a listing, is like the pattern.
 */
export type ContainerRules = Readonly<Record<"read" | "list" | "write" | "delete", readonly string[]>>;

const blobContributor = {
  role: "Storage Blob Data Contributor",
  roleId: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
  scope: "each bundle account",
} as const;
const messageSender = {
  role: "Storage Queue Data Message Sender",
  roleId: "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
} as const;
const queueContributor = {
  role: "Storage Queue Data Contributor",
  roleId: "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
} as const;
const blobOwner = { role: "Storage Blob Data Owner", roleId: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b" } as const;
const both = ["intake", "access"] as const;

export const roleGrants: readonly RoleGrant[] = [
  {
    ...blobOwner,
    holders: ["intake"],
    scope: "intake's host account",
    why: "The Functions host keeps its locks there, and the platform reads the deployed package.",
  },
  {
    ...blobOwner,
    holders: ["access"],
    scope: "access's host account",
    why: "The Functions host takes leases for its timers, and the platform reads the deployed package.",
  },
  {
    holders: both,
    role: "Storage Table Data Contributor",
    roleId: "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    scope: "state account",
    why: "Reads and writes rows and the ledger; makes tables, and drops the nonces of past days.",
  },
  {
    holders: ["intake"],
    ...queueContributor,
    scope: "state account",
    why: "Sends and receives verification messages. Message Processor is not enough: the host updates a message to give it back.",
  },
  {
    ...messageSender,
    holders: ["access"],
    scope: "state account",
    why: "Asks for a verification that was forgotten; what its own queue gives up goes to that queue's poison queue.",
  },
  {
    ...queueContributor,
    holders: ["access"],
    scope: "queue extract",
    why: "Takes one file out of a bundle at a time, to lend it.",
  },
  {
    ...queueContributor,
    holders: ["access"],
    scope: "queue extract-poison",
    why: "Tells whoever waits for a file that it could not be read.",
  },
  {
    ...messageSender,
    holders: ["each topic"],
    scope: "queue arrivals",
    why: "Tells of what was written into a drop box.",
  },
  {
    ...blobContributor,
    holders: ["intake"],
    why: "Makes and deletes landing containers, signs upload URLs, copies what was submitted and reads its own copy to verify it; deletes what an erasure without delay is of.",
    containers: {
      read: ["landing-", "bundles-", "lent-", "box-"],
      list: ["box-", "bundles-:*/*", "lent-:*/*"],
      write: ["landing-", "bundles-"],
      delete: ["bundles-", "lent-"],
    },
  },
  {
    ...blobContributor,
    holders: ["access"],
    why: "Signs read URLs, lends parts, opens drop boxes, compares what is there with the rows, and deletes what is due.",
    containers: {
      read: ["landing-", "bundles-", "lent-", "box-"],
      list: ["bundles-", "lent-", "box-"],
      write: ["lent-", "box-", "bundles-:*.paths/*"],
      delete: ["bundles-", "lent-"],
    },
  },
  {
    ...blobContributor,
    holders: ["access"],
    scope: "records account",
    why: "Puts checkpoints and the events between them there, once; the containers' policies keep it from rewriting any.",
  },
  {
    holders: both,
    role: "Reader",
    roleId: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    scope: "each bundle account",
    why: "Looks whether the account would keep deleted data. It shows how the account is set up, and no blob.",
  },
  {
    holders: both,
    role: "Key Vault Crypto User",
    roleId: "12338af0-0e69-4776-bea7-57ae8d297424",
    scope: "signing key",
    why: "Signs receipts, certificates and checkpoints, and reads the public half that is published.",
  },
  {
    holders: both,
    role: "Monitoring Metrics Publisher",
    roleId: "3913510d-42f4-4e42-8a64-420c390055eb",
    scope: "telemetry",
    why: "Sends logs and metrics, which take no key.",
  },
];

const blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";
const container = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]";

/** The condition by which a role assignment holds for the blobs of some containers only. Actions on containers take no condition. */
export function conditionOf(rules: ContainerRules): string {
  const startsWith = (prefix = "") => `${container} StringStartsWith '${prefix}'`;
  const isIn = (entries: readonly string[], narrower = `@Resource[${blobs}:path]`) =>
    entries
      .map((entry) => {
        const [prefix, pattern] = entry.split(":");
        return pattern === undefined
          ? startsWith(prefix)
          : `(${startsWith(prefix)} AND ${narrower} StringLike '${pattern}')`;
      })
      .join(" OR ");
  const unless = (action: string) => `!(ActionMatches{'${blobs}/${action}'})`;
  return [
    `((${unless("read")}) OR (${isIn(rules.read)}))`,
    `((!(ActionMatches{'${blobs}/read'} AND SubOperationMatches{'Blob.List'})) OR (${isIn(rules.list, `@Request[${blobs}:prefix]`)}))`,
    `((${unless("write")} AND ${unless("add/action")} AND ${unless("move/action")}) OR (${isIn(rules.write)}))`,
    `((${unless("delete")}) OR (${isIn(rules.delete)}))`,
  ].join(" AND ");
}
