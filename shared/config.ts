import type * as z from "zod";
import { type AppRole, type OtherApp, otherThan } from "./apps.ts";
import { contradictionsIn } from "./contradictions.ts";
import type { Limits } from "./domain/storms.ts";
import type { OldestVersions } from "./domain/versions.ts";
import { anotherHostsKeys, type Environment, localOnlyIn } from "./localOnly.ts";
import type { LocalRun } from "./localRun.ts";
import { type BundleAccountSetting, type Settings, settings, type TrustedClients } from "./settings.ts";

/** The settings, parsed once at start. A bad value stops the start and names itself (`ConfigurationError`). */

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
  /** Undefined where this one is everything. */
  readonly otherApp: OtherApp | undefined;
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
    readonly scope: string;
    readonly trustedClients: TrustedClients;
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

/** What to register. A role that is none registers everything, and the same start is then refused (`readConfig`). */
export const readRole = (environment: Environment): AppRole =>
  settings.shape.APP_ROLE.safeParse(withoutEmpty(environment).APP_ROLE).data ?? "all";

/** Parses the environment, and what the embedded host adds to it. Throws `ConfigurationError` that names every setting at fault. */
export function readConfig(environment: Environment, localRun?: LocalRun): Config {
  const given = withoutEmpty({ ...environment, ...localRun?.settings });
  const parsed = settings.safeParse(given);
  if (!parsed.success) {
    throw new ConfigurationError(parsed.error.issues.map((issue) => faultOf(issue, given)).join("; "));
  }
  const values = parsed.data;
  const sources = { state: stateStorage(values), signingKey: signingKey(values) };
  const misplaced = localOnlyIn(values, environment, localRun);
  if (misplaced.length > 0) throw new ConfigurationError(misplaced.join("; "));
  const [contradiction] = [...contradictionsIn(values), ...anotherHostsKeys(values, environment, localRun)];
  if (contradiction !== undefined) throw new ConfigurationError(contradiction);
  return {
    ...sources,
    publicOrigin: values.PUBLIC_ORIGIN,
    otherApp: otherApp(values),
    bundleAccounts: values.BUNDLE_ACCOUNTS,
    resourceManager: values.RESOURCE_MANAGER_ENDPOINT,
    records: { checkpointUrl: values.CHECKPOINT_CONTAINER_URL, ledgerUrl: values.LEDGER_EXPORT_CONTAINER_URL },
    token: {
      issuer: values.TOKEN_ISSUER,
      audience: values.TOKEN_AUDIENCE,
      tenantId: values.TOKEN_TENANT_ID.toLowerCase(),
      jwksUrl: values.TOKEN_JWKS_URL,
      scope: values.TOKEN_SCOPE,
      trustedClients: values.TRUSTED_CLIENT_IDS ?? {},
    },
    purgeAfterDays: values.PURGE_AFTER_DAYS,
    purgeAfterCaseCloseDays: values.PURGE_AFTER_CASE_CLOSE_DAYS,
    eraseDelayHours: values.ERASE_DELAY_HOURS,
    maxBundleBytes: values.MAX_BUNDLE_BYTES,
    maxDropBoxFiles: values.MAX_DROP_BOX_FILES,
    metadataRetentionDays: values.METADATA_RETENTION_DAYS,
    limits: values.RATE_LIMITS === "on" ? limitsOf(values) : undefined,
    oldestVersions: { stamp: values.MIN_STAMP_VERSION, client: values.MIN_CLIENT_VERSION },
    clockOffsetDays: localRun?.clockOffsetDays ?? 0,
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

function otherApp({ APP_ROLE: role, OTHER_APP_ORIGIN: origin }: Settings): OtherApp | undefined {
  if (role === undefined || role === "all" || origin === undefined) return undefined;
  return { name: otherThan(role), origin };
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
