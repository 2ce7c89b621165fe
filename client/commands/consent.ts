import type { Command } from "commander";
import { z } from "zod";
import type { Consent, ConsentDecision } from "../../shared/api/consents.ts";
import { purposes } from "../../shared/api/primitives.ts";
import { exitCodes } from "../failure.ts";
import { time } from "../output.ts";
import { currentTerms } from "../stamp.ts";
import { type Context, openStamp, type Run } from "./context.ts";
import { as, purpose, terms } from "./options.ts";

/** `consent enable|disable|status`: the standing consent to proactive collection. */

const decisionOptions = z.object({ as: z.string(), purpose: purposes.optional(), terms: z.string().optional() });

export function addConsent(program: Command, run: Run): void {
  const consent = program.command("consent").description("the standing consent to proactive log collection");
  consent
    .command("enable")
    .description("let the stamp send logs by itself when an alert or failure is raised")
    .addOption(as())
    .addOption(purpose())
    .addOption(terms())
    .action((_options, command: Command) => run(command, (context) => decide(context, "enabled", command.opts())));
  consent
    .command("disable")
    .description("stop that; what was sent before stays (`erase` deletes it)")
    .addOption(as())
    .addOption(terms())
    .action((_options, command: Command) => run(command, (context) => decide(context, "disabled", command.opts())));
  consent
    .command("status")
    .description("what stands now, with its receipt")
    .action((_options, command: Command) => run(command, status));
}

async function decide(context: Context, state: ConsentDecision["state"], given: unknown): Promise<number> {
  const options = decisionOptions.parse(given);
  const { api } = await openStamp(context);
  const inForce = await currentTerms(api.service, context.signal);
  const decision = {
    state,
    decidedBy: options.as,
    termsVersion: options.terms ?? inForce.version,
    purposes: options.purpose,
  };
  const consent = await api.decideConsent(decision, context.signal);
  context.output.result(
    consent,
    ...linesOf(consent),
    `  terms        ${consent.termsVersion}, to be read at ${inForce.url}`,
  );
  return exitCodes.fine;
}

async function status(context: Context): Promise<number> {
  const { api } = await openStamp(context);
  const consent = await api.consent(context.signal);
  context.output.result(consent, ...linesOf(consent));
  return exitCodes.fine;
}

const saying = {
  enabled: "Proactive log collection is on.",
  disabled: "Proactive log collection is off.",
  notGiven: "Proactive log collection is off: nobody has decided since the stamp was registered as it is now.",
} as const;

function linesOf(consent: Consent): string[] {
  if (consent.decidedOn === undefined) return [saying[consent.state], "To turn it on: npm run stamp -- consent enable"];
  return [
    saying[consent.state],
    `  decided by   ${consent.decidedBy ?? "(name deleted)"}, ${time(consent.decidedOn)}`,
    ...(consent.purposes === undefined ? [] : [`  purposes     ${consent.purposes.join(", ")}`]),
    ...(consent.receipt === undefined ? [] : ["  receipt      signed; --json shows it"]),
  ];
}
