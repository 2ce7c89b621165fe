import { type Command, Option } from "commander";
import { z } from "zod";
import type { Bundle } from "../../shared/api/bundles.ts";
import { purposes } from "../../shared/api/primitives.ts";
import type { BundleDescription } from "../begin.ts";
import { completenessLines } from "../completeness.ts";
import { exitCodes } from "../failure.ts";
import { size, time } from "../output.ts";
import { uploadsFolder } from "../profile.ts";
import { progressDisplay } from "../progress.ts";
import { uploadMemory } from "../resume.ts";
import { patient } from "../retry.ts";
import { type SentBundle, sendBundle } from "../send.ts";
import { currentTerms, type StampApi } from "../stamp.ts";
import { type Context, openStamp, type Run } from "./context.ts";
import { describeLogs, logOptions, withLogOptions } from "./description.ts";
import { as, purpose, sizeInBytes, terms, utcTime, wholeNumber } from "./options.ts";
import { readablePath } from "./paths.ts";

/** `send` by an operator's decision, and `trigger` by an alert or failure event under the standing consent. */

const commonOptions = logOptions.extend({
  concurrency: z.number().optional(),
  blockSize: z.number().optional(),
  wait: z.boolean(),
});
const sendOptions = commonOptions.extend({
  as: z.string(),
  purpose: purposes.optional(),
  terms: z.string().optional(),
  savedLocally: z.boolean().default(false),
});
const triggerOptions = commonOptions.extend({ raisedOn: z.string().optional() });
type CommonOptions = z.infer<typeof commonOptions>;

export function addSend(program: Command, run: Run): void {
  const send = program
    .command("send <zip>")
    .description("send a bundle now; after an interruption the same command goes on where it stopped")
    .addOption(as())
    .addOption(purpose())
    .addOption(terms())
    .option("--saved-locally", "the bundle comes from the local share of a disconnected stamp");
  withCommonOptions(send).action((zip: string, _options, command: Command) =>
    run(command, (context) => sendNow(context, zip, command.opts())),
  );

  const trigger = program
    .command("trigger <faultId> <zip>")
    .description("send a bundle for an alert or failure event, such as Urp.UpdateFailure, under the standing consent")
    .addOption(new Option("--raised-on <time>", "when the event was raised (default: now)").argParser(utcTime));
  withCommonOptions(trigger).action((faultId: string, zip: string, _options, command: Command) =>
    run(command, (context) => sendForTrigger(context, faultId, zip, command.opts())),
  );
}

const withCommonOptions = (command: Command): Command =>
  withLogOptions(command)
    .option("--concurrency <blocks>", "blocks in flight at a time (default: 4)", wholeNumber)
    .option("--block-size <size>", "largest block, such as 4m (default: what the service advises)", sizeInBytes)
    .option("--no-wait", "return once the service has acknowledged it, without the verdict");

async function sendNow(context: Context, zip: string, given: unknown): Promise<number> {
  const options = sendOptions.parse(given);
  return deliver(context, zip, options, async (api, common) => ({
    ...common,
    mode: options.savedLocally ? "savedLocally" : "sendNow",
    consent: {
      decidedBy: options.as,
      decidedOn: api.service.clock.now().toISOString(),
      termsVersion: options.terms ?? (await currentTerms(api.service, context.signal)).version,
      purposes: options.purpose,
    },
  }));
}

async function sendForTrigger(context: Context, faultId: string, zip: string, given: unknown): Promise<number> {
  const options = triggerOptions.parse(given);
  return deliver(context, zip, options, async (api, common) => ({
    ...common,
    mode: "proactive",
    trigger: { faultId, raisedOn: options.raisedOn ?? api.service.clock.now().toISOString() },
  }));
}

type CommonDescription = Omit<BundleDescription, "mode" | "trigger" | "consent">;

async function deliver(
  context: Context,
  zip: string,
  options: CommonOptions,
  describe: (api: StampApi, common: CommonDescription) => Promise<BundleDescription>,
): Promise<number> {
  const path = await readablePath(zip);
  const display = progressDisplay(context.output);
  const { api, profile } = await openStamp(context, { retry: patient, onRetry: display.retry });
  try {
    const sent = await sendBundle(
      api,
      path,
      await describe(api, describeLogs(options, api.service.clock.now(), profile.registration.stampVersion)),
      {
        memory: uploadMemory(uploadsFolder(context.local)),
        onProgress: display.show,
        signal: context.signal,
        concurrency: options.concurrency,
        blockSizeBytes: options.blockSize,
        wait: options.wait,
      },
    );
    display.end();
    context.output.result(sent.bundle, ...linesOf(sent));
    return sent.bundle.state === "rejected" ? exitCodes.rejected : exitCodes.fine;
  } finally {
    display.end();
  }
}

function linesOf({ bundle, sentBytes }: SentBundle): string[] {
  const { bundleId, fileName, sizeBytes, state, rejection, deleteBy } = bundle;
  const kept = sizeBytes - sentBytes;
  const facts = [
    `  bundle   ${bundleId}`,
    `  file     ${fileName}, ${size(sizeBytes)}${kept > 0 ? ` (${size(kept)} had been sent before)` : ""}`,
  ];
  if (state === "rejected") {
    return [
      `Rejected: ${rejection?.message ?? "no reason given"} (${rejection?.code ?? "unknown"})`,
      ...facts,
      "Its bytes are deleted. Collect again and send the new file.",
    ];
  }
  const heading: Partial<Record<Bundle["state"], string>> = {
    accepted: "Accepted: the service holds exactly what this stamp signed.",
    submitted: "Submitted: the service has it and will verify it.",
  };
  const next = state === "accepted" ? [] : [`Its verdict: npm run stamp -- status ${bundleId}`];
  return [
    heading[state] ?? `The bundle is ${state}.`,
    ...facts,
    `  deleted  ${time(deleteBy)} at the latest`,
    ...completenessLines(bundle),
    ...next,
  ];
}
