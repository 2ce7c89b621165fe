import { createHash } from "node:crypto";
import { z } from "zod";
import type { UploadCheck, uploadCheckRequest } from "../shared/api/preflight.ts";
import { isRefused, LineError, RefusedError, UnreachableError } from "./errors.ts";
import { ConnectionError } from "./lineErrors.ts";
import { proxySettings } from "./proxy.ts";
import type { StampApi } from "./stamp.ts";
import type { Exchange, WireAnswer } from "./transport.ts";

/** Asks, before anybody collects for hours, whatever sending will depend on; each check says how it stands and what to do. */

export type PreflightCheck = {
  readonly name: string;
  /** `warning`: sending would still succeed. `skipped`: an earlier check failed, so this one could not be asked. */
  readonly status: "ok" | "warning" | "failed" | "skipped";
  readonly message: string;
  readonly remedy?: string;
};

type Environment = Readonly<Record<string, string | undefined>>;

const ok = (name: string, message: string): PreflightCheck => ({ name, status: "ok", message });
const failed = (name: string, message: string, remedy: string): PreflightCheck => ({
  name,
  status: "failed",
  message,
  remedy,
});

/** Whether sending would fail. */
export const wouldFail = (checks: readonly PreflightCheck[]): boolean =>
  checks.some(({ status }) => status === "failed");

/** Which proxy calls to `origin` take; its credentials are not shown. */
export function checkProxy(origin: string, environment: Environment): PreflightCheck {
  try {
    const settings = proxySettings(environment);
    const name = origin.startsWith("https:") ? "HTTPS_PROXY" : "HTTP_PROXY";
    const proxy = settings?.[name];
    if (proxy === undefined)
      return ok("proxy", `${name} is not set: calls go directly, or through a transparent proxy.`);
    return ok("proxy", `${name} is ${new URL(proxy).origin}; called directly: ${settings?.NO_PROXY}.`);
  } catch (error) {
    return failed("proxy", messageOf(error), "Correct the variable, or remove it.");
  }
}

/** Whether the service itself answers at `origin`, and what it thinks of this machine's clock. */
export async function checkLine(
  origin: string,
  exchange: Exchange,
  signal: AbortSignal | undefined,
): Promise<readonly PreflightCheck[]> {
  const began = Date.now();
  try {
    const answer = await exchange({
      method: "GET",
      url: `${origin}/health`,
      headers: { accept: "application/json" },
      signal,
    });
    const tookMs = Date.now() - began;
    return isTheService(answer)
      ? [ok("line", `${origin} answers (${tookMs} ms).`), checkClock(answer, began + tookMs / 2)]
      : [notTheService(origin, answer)];
  } catch (error) {
    signal?.throwIfAborted();
    return [lineFailed(origin, error)];
  }
}

const health = z.object({ status: z.string() });

function isTheService({ status, body }: WireAnswer): boolean {
  if (status !== 200) return false;
  try {
    return health.safeParse(JSON.parse(body.toString("utf8"))).success;
  } catch {
    return false;
  }
}

const notTheService = (origin: string, { status }: WireAnswer): PreflightCheck =>
  status >= 500
    ? failed(
        "line",
        `${origin} cannot serve now (${status}).`,
        "Try again in a few minutes; save logs locally meanwhile.",
      )
    : failed(
        "line",
        `Something answers at ${origin}, and it is not the service (${status}).`,
        "Check --origin. If it is right, a proxy or sign-in page on the way answers instead: ask for this origin to be let through.",
      );

function lineFailed(origin: string, error: unknown): PreflightCheck {
  if (error instanceof LineError) return failed("line", messageOf(error), "Nothing can be sent before that.");
  if (!(error instanceof ConnectionError)) throw error;
  const remedy = isThisMachine(origin)
    ? "Start it here (npm start), or name another service with --origin."
    : "Let outbound 443 to it through, or set HTTPS_PROXY. Until then save logs locally: npm run stamp -- options";
  return failed("line", `No answer from ${origin} (${messageOf(error)}).`, remedy);
}

const isThisMachine = (origin: string): boolean =>
  ["127.0.0.1", "localhost", "[::1]"].includes(new URL(origin).hostname);

/** Seconds that clocks may differ by (`API.md`, Signing a request). */
const mostSkewSeconds = 60;

function checkClock({ headers }: WireAnswer, localMs: number): PreflightCheck {
  const theirs = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(theirs)) {
    return { name: "clock", status: "warning", message: "The answer carries no Date to compare this clock with." };
  }
  // The header has whole seconds: on the average it is half a second behind.
  const aheadSeconds = Math.round((localMs - theirs - 500) / 1000);
  const saying = `This clock is ${Math.abs(aheadSeconds)} s ${aheadSeconds < 0 ? "behind" : "ahead of"} the service's.`;
  if (Math.abs(aheadSeconds) <= mostSkewSeconds) return ok("clock", saying);
  return {
    name: "clock",
    status: "warning",
    message: `${saying} More than ${mostSkewSeconds} s are refused; this client corrects itself, other tools do not.`,
    remedy: "Synchronize this machine's clock (w32tm /resync, or chronyc makestep).",
  };
}

/** What the service says of this stamp and a bundle to come, and whether a write reaches storage. */
export async function checkStamp(
  api: StampApi,
  about: z.input<typeof uploadCheckRequest>,
  signal: AbortSignal | undefined,
): Promise<readonly PreflightCheck[]> {
  let told: UploadCheck;
  try {
    told = await api.checkUpload(about, signal);
  } catch (error) {
    signal?.throwIfAborted();
    return [refusedCheck(error)];
  }
  return [
    ok("key", "The service knows this stamp's key."),
    ...told.checks.map(({ name, ok: stands, code, message }): PreflightCheck => {
      if (stands) return ok(name, message);
      return {
        name,
        status: "failed",
        message: code === undefined ? message : `${message} (${code})`,
        ...remedyOf(code),
      };
    }),
    await checkWrite(told.probe, api.service.exchange, signal),
  ];
}

/** Where a command of this client is the remedy; else the message says it. */
const remedyOf = (code: string | undefined): { remedy?: string } =>
  code === "ConsentNotGiven" ? { remedy: "npm run stamp -- consent enable" } : {};

function refusedCheck(error: unknown): PreflightCheck {
  if (isRefused(error, "KeyUnknown")) {
    return failed(
      "registration",
      "The service does not know this stamp, or not with this key.",
      "npm run stamp -- register",
    );
  }
  if (isRefused(error, "KeyRetired")) {
    return failed("key", messageOf(error), "Register the key that this machine has: npm run stamp -- register");
  }
  if (isRefused(error, "StampDisabled")) {
    return failed("registration", messageOf(error), "Until then share logs from the privileged endpoint.");
  }
  if (error instanceof RefusedError) return failed("key", `${error.message} (${error.code})`, "See docs/client.md.");
  if (error instanceof UnreachableError || error instanceof LineError) {
    return failed("line", messageOf(error), "The line dropped while it was checked: run it again.");
  }
  throw error;
}

async function checkWrite(
  { url, requiredHeaders }: UploadCheck["probe"],
  exchange: Exchange,
  signal: AbortSignal | undefined,
): Promise<PreflightCheck> {
  const { origin } = new URL(url);
  const body = Buffer.from("A test write: it is no log, and is deleted.\n");
  const md5 = createHash("md5").update(body).digest("base64");
  try {
    const headers = { ...requiredHeaders, "content-md5": md5 };
    const { status, headers: answered } = await exchange({ method: "PUT", url, headers, body, signal });
    if (status < 300) return ok("storage", `A test write to ${origin} went through.`);
    const code = answered.get("x-ms-error-code") ?? `Http${status}`;
    const remedy = "A proxy on the way may change what is sent: ask for this origin to be let through untouched.";
    return failed("storage", `Storage refused a test write (${status} ${code}).`, remedy);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof LineError) return failed("storage", messageOf(error), `It was on the way to ${origin}.`);
    if (!(error instanceof ConnectionError)) throw error;
    const remedy = `Logs go straight to storage: let outbound 443 to ${origin} through too.`;
    return failed("storage", `No answer from ${origin} (${messageOf(error)}).`, remedy);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
