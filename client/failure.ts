import { FileChangedError, LineError, RefusedError, UnreachableError } from "./errors.ts";

/** How a command ends: its exit code, and what it tells the person about a failure. */

export const exitCodes = {
  fine: 0,
  refused: 1,
  usage: 2,
  rejected: 3,
  unreachable: 4,
  interrupted: 130,
} as const;

/** For the command line's help. */
export const exitCodesText = `
Exit codes:
  0    fine
  1    refused by the service, or failed
  2    wrong usage
  3    the service has verified the bundle and rejected it
  4    the service or its storage could not be reached
  130  interrupted; the same command goes on from there`;

/** For the command line's help. */
export const environmentText = `
Environment:
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY  the proxy: http://user:password@proxy:8080
  NODE_EXTRA_CA_CERTS                certificates (PEM) to trust beside Node's own
  LOCAL_DIR                          where the stamp is kept (default: .local)`;

/** The command cannot be carried out as it was typed. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** The reason that a signal gives for stopping. */
export class Interrupted extends Error {
  constructor() {
    super("Interrupted");
    this.name = "Interrupted";
  }
}

/** What to do next, for refusals that another command of this client answers. */
const nextStep: Readonly<Record<string, string>> = {
  ConsentNotGiven: "Here: npm run stamp -- consent enable",
  TriggerBeforeConsent: "Here, by an operator's own decision: npm run stamp -- send <zip>",
  TooManyRequests:
    "Nothing is lost: the same command sends it once that time has come. Where a case waits for it: --case <number>",
  ClientVersionTooOld: "Whether it is taken then: npm run stamp -- check",
  KeyUnknown: "The service does not know this stamp's key: npm run stamp -- register",
};

export type Ending = {
  readonly exitCode: number;
  /** For scripts: the refusal's own code, or what kind of failure it was. */
  readonly code: string;
  readonly lines: readonly string[];
};

/** What a failed command says, and how it exits. */
export function explain(error: unknown): Ending {
  const ending = (kind: keyof typeof exitCodes, code: string, ...lines: readonly string[]): Ending => ({
    exitCode: exitCodes[kind],
    code,
    lines,
  });
  if (error instanceof Interrupted) {
    return ending("interrupted", "Interrupted", "Interrupted. Nothing is lost: the same command goes on from here.");
  }
  if (error instanceof UsageError) return ending("usage", "Usage", error.message);
  if (error instanceof UnreachableError) {
    const advice =
      "Is it running? `npm start` runs it on this machine; --origin names another. The same command goes on from here.";
    return ending("unreachable", "Unreachable", `${error.message}.`, advice);
  }
  if (error instanceof LineError) return ending("unreachable", error.code, error.message);
  if (error instanceof RefusedError) return ending("refused", error.code, ...refusalLines(error));
  if (error instanceof FileChangedError) return ending("refused", "FileChanged", error.message);
  return ending("refused", "Failed", error instanceof Error ? error.message : String(error));
}

function refusalLines({ message, code, target, requestId, traceId, status }: RefusedError): string[] {
  const reference = [code, target && `at ${target}`, requestId && `request ${requestId}`, traceId && `trace ${traceId}`]
    .filter(Boolean)
    .join(", ");
  const advice = nextStep[code] ?? (status >= 500 ? "It is safe to run the same command again." : "");
  return [`${message} (${reference})`, advice].filter(Boolean);
}
