import * as z from "zod";
import { parseAccountId } from "./accountId.ts";
import { stampVersion } from "./api/primitives.ts";
import { contradictionsIn } from "./contradictions.ts";
import { longestQuietMinutes } from "./domain/load.ts";
import type { Limits } from "./domain/storms.ts";
import type { OldestVersions } from "./domain/versions.ts";

/**
 * The settings, parsed once at start. A bad value stops the start and names itself (`ConfigurationError`).
 * Each setting's description is its documentation.
 */

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

/** Marks a setting of a run on one machine, which no deployment has. */
const localOnly = { localOnly: true } as const;

/** Days after creation by which a `PURGE_AFTER_DAYS` must have started deleting (`DESIGN.md`, invariant 3). */
export const latestPurgeAfterDays = 82;

export const settings = z.object({
  PUBLIC_ORIGIN: httpOrigin.describe("The origin that clients use and stamps sign: scheme, host and port."),
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
  PURGE_AFTER_DAYS: wholeNumber(
    "Days after the day of creation when a bundle's bytes are deleted. At most 82: the ten days up to day 90 are for noticing and repair.",
    1,
    latestPurgeAfterDays,
  ).default(80),
  PURGE_AFTER_CASE_CLOSE_DAYS: wholeNumber(
    "Days after the last of a bundle's cases closed when its bytes are deleted. Not set: closing a case deletes nothing.",
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
  CLOCK_OFFSET_DAYS: z.coerce
    .number({ error: "must be a number of days" })
    .min(-3650)
    .max(3650)
    .default(0)
    .describe("Moves the clock of retention, consent and cases by this many days. Refused outside a local run.")
    .meta(localOnly),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url()
    .optional()
    .describe(
      "Collector that metrics and spans are sent to by OTLP over HTTP, such as http://127.0.0.1:4318. Not set: none.",
    ),
  STAMP_INTAKE_LOCAL: z
    .enum(["1"])
    .optional()
    .describe("Set by the embedded host and by nobody else: a run on one machine.")
    .meta(localOnly),
});

export type Settings = z.infer<typeof settings>;

/** Names of the settings that only a run on one machine has. */
export const localSettings: readonly string[] = Object.entries(settings.shape)
  .filter(([, setting]) => setting.meta()?.localOnly === true)
  .map(([name]) => name);

/** Where tables and queues live, and how to sign in there. */
export type StateStorage =
  | { readonly kind: "connectionString"; readonly connectionString: string }
  | {
      readonly kind: "identity";
      readonly tableEndpoint: string;
      readonly queueEndpoint: string;
      readonly clientId: string | undefined;
    };

export type SigningKeySource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "keyVault"; readonly keyId: string };

export type Config = {
  readonly publicOrigin: string;
  readonly local: boolean;
  readonly state: StateStorage;
  readonly bundleAccounts: readonly BundleAccountSetting[] | undefined;
  /** Undefined on one machine: the accounts themselves are asked how they are set up. */
  readonly resourceManager: string | undefined;
  readonly signingKey: SigningKeySource;
  readonly records: { readonly checkpointUrl: string | undefined; readonly ledgerUrl: string | undefined };
  readonly token: {
    readonly issuer: string;
    readonly audience: string;
    readonly tenantId: string;
    readonly jwksUrl: string;
  };
  readonly purgeAfterDays: number;
  readonly purgeAfterCaseCloseDays: number | undefined;
  readonly eraseDelayHours: number;
  readonly maxBundleBytes: number;
  readonly maxDropBoxFiles: number;
  readonly metadataRetentionDays: number;
  /** Undefined where rates are not limited. */
  readonly limits: Limits | undefined;
  readonly oldestVersions: OldestVersions;
  readonly clockOffsetDays: number;
  /** Undefined where nothing is sent. */
  readonly telemetryEndpoint: string | undefined;
};

/** A setting that is missing or wrong; the message names it and says what it must be. */
export class ConfigurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConfigurationError";
  }
}

/** Parses the environment. Throws `ConfigurationError` that names every setting at fault. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = withoutEmpty(environment);
  const parsed = settings.safeParse(given);
  if (!parsed.success) {
    throw new ConfigurationError(parsed.error.issues.map((issue) => faultOf(issue, given)).join("; "));
  }
  const values = parsed.data;
  const local = values.STAMP_INTAKE_LOCAL === "1";
  if (values.CLOCK_OFFSET_DAYS !== 0 && !local) {
    throw new ConfigurationError("CLOCK_OFFSET_DAYS: moves the clock of a local run only; remove it here");
  }
  const sources = { state: stateStorage(values), signingKey: signingKey(values) };
  const [contradiction] = contradictionsIn(values);
  if (contradiction !== undefined) throw new ConfigurationError(contradiction);
  return {
    ...sources,
    publicOrigin: values.PUBLIC_ORIGIN,
    local,
    bundleAccounts: values.BUNDLE_ACCOUNTS,
    resourceManager: values.RESOURCE_MANAGER_ENDPOINT,
    records: { checkpointUrl: values.CHECKPOINT_CONTAINER_URL, ledgerUrl: values.LEDGER_EXPORT_CONTAINER_URL },
    token: {
      issuer: values.TOKEN_ISSUER,
      audience: values.TOKEN_AUDIENCE,
      tenantId: values.TOKEN_TENANT_ID.toLowerCase(),
      jwksUrl: values.TOKEN_JWKS_URL,
    },
    purgeAfterDays: values.PURGE_AFTER_DAYS,
    purgeAfterCaseCloseDays: values.PURGE_AFTER_CASE_CLOSE_DAYS,
    eraseDelayHours: values.ERASE_DELAY_HOURS,
    maxBundleBytes: values.MAX_BUNDLE_BYTES,
    maxDropBoxFiles: values.MAX_DROP_BOX_FILES,
    metadataRetentionDays: values.METADATA_RETENTION_DAYS,
    limits: values.RATE_LIMITS === "on" ? limitsOf(values) : undefined,
    oldestVersions: { stamp: values.MIN_STAMP_VERSION, client: values.MIN_CLIENT_VERSION },
    clockOffsetDays: values.CLOCK_OFFSET_DAYS,
    telemetryEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
  };
}

const limitsOf = (values: Settings): Limits => ({
  openUploads: values.STAMP_MAX_OPEN_UPLOADS,
  bundlesPerDay: values.STAMP_MAX_BUNDLES_PER_DAY,
  bytesPerDay: values.STAMP_MAX_BYTES_PER_DAY,
  sameFaultQuietMinutes: values.SAME_FAULT_QUIET_MINUTES,
  serviceBytesPerDay: values.SERVICE_MAX_BYTES_PER_DAY,
});

/** Which setting it is, what it must be, and what it is for. */
function faultOf({ path, message }: z.core.$ZodIssue, given: Readonly<Record<string, string>>): string {
  const name = String(path[0]);
  const meaning = Object.entries(settings.shape).find(([known]) => known === name)?.[1].description ?? "";
  return given[name] === undefined ? `${name}: is needed. ${meaning}` : `${path.join(".")}: ${message}. ${meaning}`;
}

function withoutEmpty(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const known = Object.keys(settings.shape);
  return Object.fromEntries(
    known.flatMap((name) => {
      const value = environment[name]?.trim();
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}

function stateStorage(values: Settings): StateStorage {
  const tableEndpoint = values.StateStorage__tableServiceUri;
  const queueEndpoint = values.StateStorage__queueServiceUri;
  if (values.StateStorage !== undefined) {
    if (tableEndpoint !== undefined || queueEndpoint !== undefined) {
      throw new ConfigurationError(
        "StateStorage: set either the connection string or the StateStorage__… endpoints, not both",
      );
    }
    return { kind: "connectionString", connectionString: values.StateStorage };
  }
  if (tableEndpoint === undefined || queueEndpoint === undefined) {
    throw new ConfigurationError(
      "StateStorage__tableServiceUri and StateStorage__queueServiceUri: both are needed (or StateStorage, a connection string, on one machine)",
    );
  }
  if (values.BUNDLE_ACCOUNTS === undefined) {
    throw new ConfigurationError("BUNDLE_ACCOUNTS: is needed where StateStorage is not a connection string");
  }
  return { kind: "identity", tableEndpoint, queueEndpoint, clientId: values.StateStorage__clientId };
}

function signingKey(values: Settings): SigningKeySource {
  if (values.SIGNING_KEY_ID !== undefined && values.SIGNING_KEY_FILE !== undefined) {
    throw new ConfigurationError("SIGNING_KEY_ID and SIGNING_KEY_FILE: set one of them, not both");
  }
  if (values.SIGNING_KEY_ID !== undefined) return { kind: "keyVault", keyId: values.SIGNING_KEY_ID };
  if (values.SIGNING_KEY_FILE !== undefined) return { kind: "file", path: values.SIGNING_KEY_FILE };
  throw new ConfigurationError(
    "SIGNING_KEY_ID: name the Key Vault key that signs receipts (on one machine: SIGNING_KEY_FILE)",
  );
}
