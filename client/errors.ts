/** What can go wrong for a caller of the service, one class for each thing that a person would do next. */

export type RefusalDetail = { readonly code: string; readonly message: string; readonly target?: string | undefined };

export type Refusal = {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly target?: string | undefined;
  readonly details?: readonly RefusalDetail[] | undefined;
  /** `x-ms-request-id` of the answer: what to quote when asking the people who run the service. */
  readonly requestId?: string | undefined;
  /** Names, in the service's log, all that this call's bundle went through. */
  readonly traceId?: string | undefined;
};

/** The service or its storage answered, and the answer is no. */
export class RefusedError extends Error {
  readonly status: number;
  readonly code: string;
  readonly target: string | undefined;
  readonly details: readonly RefusalDetail[];
  readonly requestId: string | undefined;
  readonly traceId: string | undefined;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = "RefusedError";
    this.status = refusal.status;
    this.code = refusal.code;
    this.target = refusal.target;
    this.details = refusal.details ?? [];
    this.requestId = refusal.requestId;
    this.traceId = refusal.traceId;
  }
}

/** No answer came: nothing listens there, or the line dropped and stayed down. */
export class UnreachableError extends Error {
  readonly origin: string;

  constructor(origin: string, cause: unknown) {
    super(`No answer from ${origin} (${reasonOf(cause)})`, { cause });
    this.name = "UnreachableError";
    this.origin = origin;
  }
}

export type LineProblem = "UntrustedCertificate" | "ProxyAuthentication" | "ProxyRefused" | "ProxyUnsupported";

/** The line is set up in a way that no further try can mend; the message says what to change. */
export class LineError extends Error {
  readonly code: LineProblem;

  constructor(code: LineProblem, message: string, cause?: Error) {
    super(message, { cause });
    this.name = "LineError";
    this.code = code;
  }
}

/** The file is not what it was when it was looked at: it was written to while it was being sent. */
export class FileChangedError extends Error {
  constructor(path: string) {
    super(`${path} changed while it was being sent. Let whatever writes it finish, then send it again.`);
    this.name = "FileChangedError";
  }
}

/** Whether `error` is a refusal with one of these codes. */
export const isRefused = (error: unknown, ...codes: readonly string[]): error is RefusedError =>
  error instanceof RefusedError && codes.includes(error.code);

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // A host with several addresses fails with an AggregateError whose own message is empty.
  return cause.message || ("code" in cause ? String(cause.code) : cause.name);
}
