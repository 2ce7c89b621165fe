/**
 * Every way the service says no, as one closed union of codes (`API.md`, Errors).
 * The status of each stands in `api/status.ts`; the message tells its reader what to do next.
 */
export const errorCodes = [
  "MissingApiVersionParameter",
  "UnsupportedApiVersionValue",
  "InvalidParameter",
  "InvalidBody",
  "InvalidPath",
  "TokenMissing",
  "TokenInvalid",
  "TokenExpired",
  "SignatureMissing",
  "SignatureMalformed",
  "SignatureInvalid",
  "SignatureExpired",
  "SignatureNotYetValid",
  "SignatureReplayed",
  "KeyUnknown",
  "KeyRetired",
  "DigestMissing",
  "DigestMismatch",
  "RoleMissing",
  "ConflictingRoles",
  "StampDisabled",
  "ConsentNotGiven",
  "TriggerBeforeConsent",
  "HiddenEventUnsupported",
  "StampVersionTooOld",
  "ClientVersionTooOld",
  "CaseNotOpen",
  "GrantNotActive",
  "NotTheGrantee",
  "PurposeNotConsented",
  "PurgeDue",
  "RoleNotGranted",
  "NotFound",
  "BundleConflict",
  "NothingUploaded",
  "UnusableBlob",
  "InvalidState",
  "KeyConflict",
  "GrantConflict",
  "DropBoxConflict",
  "StampNotOnCase",
  "BundleNotLinked",
  "BundleNotAccepted",
  "StaleRevision",
  "NotYetDeleted",
  "UnreadableFile",
  "LengthRequired",
  "ConditionNotMet",
  "BodyTooLarge",
  "UnsupportedMediaType",
  "TooManyRequests",
  "ServiceUnavailable",
  "InternalError",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export type ErrorOptions = {
  /** What the error is about: a JSON pointer into the body, or the name of a parameter. */
  readonly target?: string;
  /** Facts the caller may know, such as the state that forbids the action. */
  readonly details?: readonly ErrorDetail[];
  /** What failed inside; it goes to the log and never to the caller. */
  readonly cause?: unknown;
  /** Seconds after which a retry makes sense (`Retry-After`). */
  readonly retryAfterSeconds?: number;
};

export type ErrorDetail = { readonly code: string; readonly message: string; readonly target?: string };

/** Whether a part of the service did not answer: trying again later may succeed. */
export const isOutage = (error: unknown): boolean =>
  error instanceof DomainError && error.code === "ServiceUnavailable";

/** A refusal or failure with a code of the contract. Anything else that is thrown is an `InternalError`. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly target: string | undefined;
  readonly details: readonly ErrorDetail[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DomainError";
    this.code = code;
    this.target = options.target;
    this.details = options.details ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
