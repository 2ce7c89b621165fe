import type { Command } from "commander";
import { z } from "zod";
import type { AccessApproval, AccessRequest } from "../../shared/api/approvals.ts";
import { exitCodes, UsageError } from "../failure.ts";
import { time } from "../output.ts";
import { type Context, openStamp, type Run } from "./context.ts";
import { as } from "./options.ts";

/** `approval`, `requests`, `approve`, `deny`: the operator has a say before anyone reads the stamp's bundles. */

const deciding = z.object({ as: z.string() });
const denying = deciding.extend({ reason: z.string() });

export function addApproval(program: Command, run: Run): void {
  const approval = program.command("approval").description("whether access to the bundles needs your approval");
  approval
    .command("required")
    .description("each new grant waits until you approve it; those that are active go on")
    .addOption(as())
    .action((_options, command: Command) => run(command, (context) => set(context, "required", command.opts())));
  approval
    .command("notRequired")
    .description("new grants are active at once; what waits still needs your answer")
    .addOption(as())
    .action((_options, command: Command) => run(command, (context) => set(context, "notRequired", command.opts())));
  approval
    .command("status")
    .description("what stands now")
    .action((_options, command: Command) => run(command, status));
  program
    .command("requests")
    .description("the access that waits for your approval: who asks, why, for which bundles and how long")
    .action((_options, command: Command) => run(command, requests));
  program
    .command("approve <grantId>")
    .description("let that engineer read what they asked for")
    .addOption(as())
    .action((grantId: string, _options, command: Command) =>
      run(command, (context) => approve(context, grantId, command.opts())),
    );
  program
    .command("deny <grantId>")
    .description("refuse that access, or take your approval back")
    .addOption(as())
    .option("--reason <text>", "why, for the record; the engineer reads it", "the operator does not want it")
    .action((grantId: string, _options, command: Command) =>
      run(command, (context) => deny(context, grantId, command.opts())),
    );
}

async function set(context: Context, mode: AccessApproval["mode"], given: unknown): Promise<number> {
  const { as: decidedBy } = deciding.parse(given);
  const { api } = await openStamp(context);
  const standing = await api.setApproval({ mode, decidedBy }, context.signal);
  context.output.result(standing, ...approvalLines(standing));
  return exitCodes.fine;
}

async function status(context: Context): Promise<number> {
  const { api } = await openStamp(context);
  const standing = await api.approval(context.signal);
  context.output.result(standing, ...approvalLines(standing));
  return exitCodes.fine;
}

const saying = {
  required: "Support reads a bundle of this stamp only after you approved. To see who asks: npm run stamp -- requests",
  notRequired:
    "Support reads this stamp's bundles for the cases that they are linked to, without asking you first. To be asked: npm run stamp -- approval required",
} as const;

const approvalLines = ({ mode, decidedBy, decidedOn }: AccessApproval): string[] => [
  saying[mode],
  ...(decidedOn === undefined ? [] : [`  decided by   ${decidedBy ?? "(name deleted)"}, ${time(decidedOn)}`]),
];

async function requests(context: Context): Promise<number> {
  const { api } = await openStamp(context);
  const waiting: AccessRequest[] = [];
  for await (const request of api.accessRequests(context.signal)) waiting.push(request);
  const lines = waiting.flatMap((request) => [...requestLines(request), ""]).slice(0, -1);
  context.output.result(waiting, ...(waiting.length === 0 ? ["Nobody waits for your approval."] : lines));
  return exitCodes.fine;
}

function requestLines(request: AccessRequest): string[] {
  const { grantId, caseNumber, purpose, engineer, justification, bundles, roles, durationMinutes } = request;
  return [
    `Engineer ${engineer} asks to read for case ${caseNumber}.`,
    `  asked        ${time(request.requestedOn)}; lapses ${time(request.lapsesOn)}`,
    `  purpose      ${purpose}`,
    ...(justification === undefined ? [] : [`  in words     ${justification}`]),
    ...bundles.map(({ bundleId }) => `  bundle       ${bundleId}`),
    ...(roles === undefined ? [] : [`  only roles   ${roles.join(", ")}`]),
    `  for          ${durationMinutes} minutes from your approval`,
    `  to answer    npm run stamp -- approve ${grantId}`,
    `               npm run stamp -- deny ${grantId} --reason "…"`,
  ];
}

async function approve(context: Context, id: string, given: unknown): Promise<number> {
  const { as: decidedBy } = deciding.parse(given);
  const { api } = await openStamp(context);
  const request = await api.approveAccess(grantIdOf(id), { decidedBy }, context.signal);
  context.output.result(
    request,
    `Approved: engineer ${request.engineer} may read for ${request.durationMinutes} minutes, for case ${request.caseNumber}.`,
    "Where other stamps are asked too, the time begins when the last of them has approved.",
    `To take it back: npm run stamp -- deny ${request.grantId} --reason "…"`,
  );
  return exitCodes.fine;
}

async function deny(context: Context, id: string, given: unknown): Promise<number> {
  const { as: decidedBy, reason } = denying.parse(given);
  const { api } = await openStamp(context);
  const request = await api.denyAccess(grantIdOf(id), { decidedBy, reason }, context.signal);
  context.output.result(
    request,
    `Denied: engineer ${request.engineer} gets no link to read any more. One that was given before ends within 15 minutes.`,
  );
  return exitCodes.fine;
}

function grantIdOf(text: string): string {
  const id = z.guid().safeParse(text);
  if (id.success) return id.data.toLowerCase();
  throw new UsageError(`${text} is no id of a request; npm run stamp -- requests lists them`);
}
