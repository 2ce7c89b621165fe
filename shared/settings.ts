import * as z from "zod";
import { parseAccountId } from "./accountId.ts";
import { stampVersion } from "./api/primitives.ts";
import { appRoles } from "./apps.ts";
import { defaultScope, roleNames } from "./auth/roles.ts";
import { longestQuietMinutes } from "./domain/load.ts";

/** What can be set: each setting's description is its documentation (`docs/configuration.md`). */

const trimmed = z.string().trim().min(1);
const wholeNumber = (meaning: string, least: number, most: number) =>
  z.coerce
    .number({ error: `must be a whole number from ${least} to ${most}` })
    .int()
    .min(least)
    .max(most)
    .describe(meaning);

const httpOrigin = trimmed.refine((text) => URL.canParse(text) && new URL(text).origin === text, {
  error: "must be an origin such as https://intake.example.com, with no path and no trailing slash",
});

const bundleAccount = z.strictObject({
  name: z.string().regex(/^[a-z0-9]{3,24}$/, "must be a storage account's name"),
  blobEndpoint: z.url(),
  geographies: z.array(trimmed).min(1).optional(),
  draining: z.boolean().optional(),
  resourceId: z
    .string()
    .refine((id) => parseAccountId(id) !== undefined, {
      error: "must be /subscriptions/{id}/resourceGroups/{name}/providers/Microsoft.Storage/storageAccounts/{name}",
    })
    .optional(),
});
export type BundleAccountSetting = z.infer<typeof bundleAccount>;

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: "custom", message: "must be JSON" });
        return z.NEVER;
      }
    })
    .pipe(schema);

const trustedClients = z.partialRecord(z.enum(roleNames), z.array(z.guid()).min(1));
export type TrustedClients = z.infer<typeof trustedClients>;

/** Marks a setting of a run on one machine, which no deployment has. */
const localOnly = { localOnly: true } as const;

/** Days after creation by which a `PURGE_AFTER_DAYS` must have started deleting (`DESIGN.md`, invariant 3). */
export const latestPurgeAfterDays = 82;

export const settings = z.object({
  PUBLIC_ORIGIN: httpOrigin.describe("The origin that clients use and stamps sign: scheme, host and port."),
  APP_ROLE: z
    .enum(appRoles)
    .optional()
    .describe(
      "What this app registers: intake what stamps' signatures and manifests open, access what access tokens open, all both. Needed in Azure; all where it is not set on one machine. After a change sync the triggers (infra/README.md).",
    ),
  OTHER_APP_ORIGIN: httpOrigin
    .optional()
    .describe(
      "The origin of the other app, named to whoever sends here what it serves. Needed beside intake and access.",
    ),
  StateStorage: trimmed
    .optional()
    .describe(
      "Connection string of the storage that holds tables and queues. Local and test runs only; in Azure the four below.",
    )
    .meta(localOnly),
  StateStorage__tableServiceUri: z.url().optional().describe("Table endpoint of the state account."),
  StateStorage__queueServiceUri: z.url().optional().describe("Queue endpoint of the state account."),
  StateStorage__credential: z
    .literal("managedidentity")
    .optional()
    .describe("How the Functions host signs in to the state account."),
  StateStorage__clientId: trimmed
    .optional()
    .describe("Client id of the user-assigned identity that the service signs in with."),
  BUNDLE_ACCOUNTS: json(z.array(bundleAccount).min(1))
    .optional()
    .describe(
      "The accounts that hold bundles: JSON array of {name, blobEndpoint, resourceId, geographies?, draining?}. By its resource id Resource Manager is asked whether an account keeps deleted data: then the service does not start. One that is draining takes no new bundles; take its entry out once the last has gone, after 90 days. Not set: the account of StateStorage.",
    ),
  RESOURCE_MANAGER_ENDPOINT: z
    .url()
    .optional()
    .describe(
      "Azure Resource Manager of this cloud, such as https://management.azure.com: tells how the accounts of BUNDLE_ACCOUNTS are set up.",
    ),
  SIGNING_KEY_FILE: trimmed
    .optional()
    .describe("File with the private JWKs (ES256) that sign receipts. Local and test runs only.")
    .meta(localOnly),
  SIGNING_KEY_ID: z
    .url()
    .optional()
    .describe("Key Vault key that signs receipts: https://<vault>/keys/<name>, without a version."),
  CHECKPOINT_CONTAINER_URL: z
    .url()
    .optional()
    .describe("Container of another account that each sealed checkpoint is copied to, where nobody can rewrite it."),
  LEDGER_EXPORT_CONTAINER_URL: z
    .url()
    .optional()
    .describe("Container that the events between one checkpoint and the next are copied to, likewise."),
  TOKEN_ISSUER: z.url().describe("Issuer of the access tokens that people and services bring."),
  TOKEN_AUDIENCE: trimmed.describe("Audience that those tokens must name: this application's id."),
  TOKEN_TENANT_ID: z.guid().describe("Tenant that those tokens must come from."),
  TOKEN_JWKS_URL: z.url().describe("Where the issuer publishes its keys."),
  TOKEN_SCOPE: z
    .string()
    .regex(/^[\w.-]+$/, "must be one scope's short name, such as access_as_user")
    .default(defaultScope)
    .describe("Scope of this application that a token of a person must hold."),
  TRUSTED_CLIENT_IDS: json(trustedClients)
    .optional()
    .describe(
      'Applications that may get tokens for this service: JSON object from a role to their client ids, such as {"Support.Engineer": ["<client id>"]}. A role that is not named takes tokens from any. Not set: all do.',
    ),
  PURGE_AFTER_DAYS: wholeNumber(
    "Days after the day of creation when a bundle's bytes are deleted. At most 82: the ten days up to day 90 are for noticing and repair. A change holds for bundles created from the next UTC day on.",
    1,
    latestPurgeAfterDays,
  ).default(80),
  PURGE_AFTER_CASE_CLOSE_DAYS: wholeNumber(
    "Days after the last of a bundle's cases closed when its bytes are deleted. Not set: closing a case deletes nothing. A change is applied to cases that are closed already, too.",
    0,
    latestPurgeAfterDays,
  ).optional(),
  ERASE_DELAY_HOURS: wholeNumber(
    "Hours in which an operator's erasure can be taken back. 0 deletes before the answer.",
    0,
    168,
  ).default(24),
  MAX_BUNDLE_BYTES: wholeNumber("Largest bundle, in bytes.", 1, 4_000_000_000_000).default(64 * 1024 ** 3),
  MAX_DROP_BOX_FILES: wholeNumber(
    "Files of a drop box that become bundles, zips first; the rest is refused.",
    1,
    10_000,
  ).default(1000),
  METADATA_RETENTION_DAYS: wholeNumber(
    "Days after which whoever was not met since is forgotten: names and free texts.",
    90,
    3650,
  ).default(730),
  RATE_LIMITS: z
    .enum(["on", "off"])
    .default("on")
    .describe("Whether the limits on rates below hold. Off in a run on one machine that does not say otherwise."),
  STAMP_MAX_OPEN_UPLOADS: wholeNumber("Uploads that one stamp may have open at a time.", 1, 1000).default(20),
  STAMP_MAX_BUNDLES_PER_DAY: wholeNumber("Bundles that one stamp may begin in a UTC day.", 1, 10_000).default(60),
  STAMP_MAX_BYTES_PER_DAY: wholeNumber(
    "Bytes that one stamp may announce in a UTC day; the first bundle of a day may be larger.",
    1,
    1_000_000_000_000_000,
  ).default(256 * 1024 ** 3),
  SAME_FAULT_QUIET_MINUTES: wholeNumber(
    "Minutes for which no second proactive bundle is taken for the same fault of a stamp.",
    0,
    longestQuietMinutes,
  ).default(240),
  SERVICE_MAX_BYTES_PER_DAY: wholeNumber(
    "Bytes that all stamps together may announce in a UTC day; counted to about a minute.",
    1,
    1_000_000_000_000_000,
  ).default(64 * 1024 ** 4),
  MIN_STAMP_VERSION: stampVersion
    .optional()
    .describe("Oldest stamp version whose bundles are taken, such as 1.2301.0.0. Not set: any."),
  MIN_CLIENT_VERSION: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/, "must be a version such as 0.1.0")
    .optional()
    .describe(
      "Oldest version of the reference client that may begin a bundle. Not set: any. Other clients are not asked.",
    ),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url()
    .optional()
    .describe(
      "Collector that metrics and spans are sent to by OTLP over HTTP, such as http://127.0.0.1:4318; another machine's by https. Not set: none.",
    ),
});

export type Settings = z.infer<typeof settings>;

/** Names of the settings that only a run on one machine has. */
export const localSettings: readonly string[] = Object.entries(settings.shape)
  .filter(([, setting]) => setting.meta()?.localOnly === true)
  .map(([name]) => name);
