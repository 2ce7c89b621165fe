import type { Command } from "commander";
import { z } from "zod";
import type { Access, Bundle } from "../../shared/api/bundles.ts";
import { completenessLines } from "../completeness.ts";
import { exitCodes, UsageError } from "../failure.ts";
import { size, time } from "../output.ts";
import type { StampApi } from "../stamp.ts";
import { type Context, openStamp, type Run } from "./context.ts";
import { as } from "./options.ts";

/** `status`, `cancel`, `erase`: what became of the bundles that were sent. */

const eraseOptions = z.object({ as: z.string(), reason: z.string(), undo: z.boolean().default(false) });

export function addBundles(program: Command, run: Run): void {
  program
    .command("status <bundleId>")
    .description("what became of a bundle, and who was given access to it")
    .action((bundleId: string, _options, command: Command) => run(command, (context) => status(context, bundleId)));
  program
    .command("cancel <bundleId>")
    .description("give up a bundle that is not submitted yet; its bytes are deleted at once")
    .action((bundleId: string, _options, command: Command) => run(command, (context) => cancel(context, bundleId)));
  program
    .command("erase <bundleId>")
    .description("have a submitted or accepted bundle deleted before its time")
    .addOption(as())
    .option("--reason <text>", "why, for the record", "the operator asked for it")
    .option("--undo", "take it back, as long as the bytes are there")
    .action((bundleId: string, _options, command: Command) =>
      run(command, (context) => erase(context, bundleId, command.opts())),
    );
}

async function status(context: Context, id: string): Promise<number> {
  const bundleId = bundleIdOf(id);
  const { api } = await openStamp(context);
  const bundle = await api.bundle(bundleId, context.signal);
  const accesses = await accessesOf(api, bundleId, context.signal);
  context.output.result({ ...bundle, accesses }, ...bundleLines(bundle), ...accessLines(accesses));
  return bundle.state === "rejected" ? exitCodes.rejected : exitCodes.fine;
}

async function cancel(context: Context, id: string): Promise<number> {
  const bundleId = bundleIdOf(id);
  const { api } = await openStamp(context);
  const bundle = await api.cancel(bundleId, context.signal);
  context.output.result(bundle, `Canceled: ${bundle.fileName} (${bundle.bundleId}). What was sent of it is deleted.`);
  return exitCodes.fine;
}

async function erase(context: Context, id: string, given: unknown): Promise<number> {
  const { as: decidedBy, reason, undo } = eraseOptions.parse(given);
  const bundleId = bundleIdOf(id);
  const { api } = await openStamp(context);
  const body = { decidedBy, reason };
  const bundle = undo
    ? await api.cancelErase(bundleId, body, context.signal)
    : await api.erase(bundleId, body, context.signal);
  context.output.result(
    bundle,
    ...(undo ? [`Taken back: ${bundle.fileName} stays until ${time(bundle.purgeOn)}.`] : erasureLines(bundle)),
  );
  return exitCodes.fine;
}

function erasureLines({ bundleId, fileName, state, erasure }: Bundle): string[] {
  if (state === "purged" || erasure === undefined) return [`Deleted: ${fileName} (${bundleId}).`];
  return [
    `To be deleted: ${fileName} (${bundleId}). Nobody can be given access to it any more.`,
    `Its bytes go on ${time(erasure.dueOn)}; until then: npm run stamp -- erase ${bundleId} --undo`,
  ];
}

function bundleLines(bundle: Bundle): string[] {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["file", `${bundle.fileName}, ${size(bundle.sizeBytes)}`],
    ["type", bundle.trigger === undefined ? "manual" : `proactive, for ${bundle.trigger.faultId}`],
    ["collected", time(bundle.collectedOn)],
    ["logs", `${time(bundle.logsFrom)} to ${time(bundle.logsTo)}`],
    ["carried", bundle.custody && custodyText(bundle.custody)],
    ["submitted", bundle.submittedOn && time(bundle.submittedOn)],
    ["accepted", bundle.acceptedOn && time(bundle.acceptedOn)],
    ["rejected", bundle.rejection && `${bundle.rejection.message} (${bundle.rejection.code})`],
    ["verifying", bundle.verification && verificationText(bundle.verification)],
    ["cases", bundle.links.map((link) => link.caseNumber).join(", ") || undefined],
    ["purposes", bundle.consentDecision.purposes.join(", ")],
    ["deletion", `due ${time(bundle.purgeOn)}, ${time(bundle.deleteBy)} at the latest`],
    ["erasure", bundle.erasure && `asked for ${time(bundle.erasure.requestedOn)}, due ${time(bundle.erasure.dueOn)}`],
    ["deleted", bundle.purge?.deletedOn && `${time(bundle.purge.deletedOn)} (${bundle.purge.basis})`],
  ];
  return [
    `Bundle ${bundle.bundleId} is ${bundle.state}.`,
    ...facts.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(10)} ${value}`])),
    ...completenessLines(bundle),
  ];
}

const custodyText = ({ carriedBy, carrier, signedOn, keyId, importedOn }: NonNullable<Bundle["custody"]>): string =>
  `by ${carriedBy ?? carrier}, imported ${time(importedOn)}; signed ${time(signedOn)} with key ${keyId}`;

function verificationText({
  attempts,
  lastError,
  nextAttemptOn,
}: NonNullable<Bundle["verification"]>): string | undefined {
  if (lastError === undefined) return undefined;
  const next = nextAttemptOn === undefined ? "" : `, next at ${time(nextAttemptOn)}`;
  return `tried ${attempts} times${next}; the trouble is the service's own, not the bundle's`;
}

function accessLines(accesses: readonly Access[]): string[] {
  if (accesses.length === 0) return ["Nobody has been given access to it."];
  return [
    "Access was given:",
    ...accesses.map(
      ({ on, accessor, kind, caseNumber, purpose }) =>
        `  ${time(on)}  ${accessor}  ${kind === "list" ? "names of the files" : "a URL that reads"}, case ${caseNumber}, ${purpose}`,
    ),
  ];
}

function bundleIdOf(text: string): string {
  const id = z.guid().safeParse(text);
  if (id.success) return id.data.toLowerCase();
  throw new UsageError(`${text} is no bundle id; npm run stamp -- history lists them`);
}

async function accessesOf(api: StampApi, bundleId: string, signal: AbortSignal): Promise<Access[]> {
  const accesses: Access[] = [];
  for await (const access of api.accesses(signal)) if (access.bundleId === bundleId) accesses.push(access);
  return accesses;
}
