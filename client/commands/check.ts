import { stat } from "node:fs/promises";
import type { Command } from "commander";
import { z } from "zod";
import { exitCodes } from "../failure.ts";
import { checkLine, checkProxy, checkStamp, type PreflightCheck, wouldFail } from "../preflight.ts";
import { readProfile } from "../profile.ts";
import { type Context, openStamp, type Run } from "./context.ts";
import { wholeNumber } from "./options.ts";
import { readablePath } from "./paths.ts";

/** `check`: everything that sending depends on, asked before anybody collects for hours. */

const checkOptions = z.object({ size: z.number().optional(), fault: z.string().optional() });
type CheckOptions = z.infer<typeof checkOptions>;

export function addCheck(program: Command, run: Run): void {
  program
    .command("check [zip]")
    .description(
      "whether sending would succeed now: line, proxy, clock, key, registration, consent, limits, a test write",
    )
    .option("--size <bytes>", "size of the bundle to come (default: that of the zip, where one is named)", wholeNumber)
    .option("--fault <faultId>", "for a bundle that this fault would raise, under the standing consent")
    .action((zip: string | undefined, _options, command: Command) =>
      run(command, (context) => check(context, zip, checkOptions.parse(command.opts()))),
    );
}

async function check(context: Context, zip: string | undefined, options: CheckOptions): Promise<number> {
  const sizeBytes = options.size ?? (zip === undefined ? undefined : await sizeOf(zip));
  const checks = await allChecks(context, {
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(options.fault === undefined ? {} : { mode: "proactive" as const, faultId: options.fault }),
  });
  const isReady = !wouldFail(checks);
  context.output.result({ ok: isReady, checks }, ...checks.flatMap(linesOf), isReady ? ready : notReady);
  if (isReady) return exitCodes.fine;
  return checks.some(({ name, status }) => name === "line" && status === "failed")
    ? exitCodes.unreachable
    : exitCodes.refused;
}

const ready = "Ready: a bundle would be taken now.";
const notReady = "Not ready: sending would fail. Put right what failed, and check again.";

async function allChecks(
  context: Context,
  about: Parameters<typeof checkStamp>[1],
): Promise<readonly PreflightCheck[]> {
  const proxy = checkProxy(context.origin, process.env);
  const line = await checkLine(context.origin, context.exchange, context.signal);
  if (wouldFail(line)) return [proxy, ...line, ...skipped("clock", "key", "registration", "storage")];
  if ((await readProfile(context.local)) === undefined)
    return [proxy, ...line, noStamp, ...skipped("registration", "storage")];
  const { api } = await openStamp(context);
  return [proxy, ...line, ...(await checkStamp(api, about, context.signal))];
}

const noStamp: PreflightCheck = {
  name: "key",
  status: "failed",
  message: "This machine is no stamp yet.",
  remedy: "npm run stamp -- register",
};

const skipped = (...names: readonly string[]): readonly PreflightCheck[] =>
  names.map((name) => ({ name, status: "skipped", message: "Not asked: something before it failed." }));

const signs = { ok: "ok", warning: "warning", failed: "FAILED", skipped: "-" } as const;

function linesOf({ name, status, message, remedy }: PreflightCheck): string[] {
  const first = `${signs[status].padEnd(8)} ${name.padEnd(14)} ${message}`;
  return remedy === undefined ? [first] : [first, `${" ".repeat(24)}→ ${remedy}`];
}

const sizeOf = async (zip: string): Promise<number> => (await stat(await readablePath(zip))).size;
