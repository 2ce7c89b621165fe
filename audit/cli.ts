import { Command, CommanderError } from "commander";
import { verifyChain } from "./chain.ts";
import { counted, told } from "./check.ts";
import { exportLedger } from "./export.ts";
import { forget } from "./forget.ts";
import { localOrigin, localToken } from "./local.ts";
import type { Problem } from "./problem.ts";
import { report } from "./report.ts";
import { readPages, type Service, Unreadable } from "./service.ts";
import { verdict } from "./verdict.ts";
import { verifyExport } from "./verify.ts";

/** The auditor's command line, `npm run audit`. Exit codes: 0 all holds, 1 a problem was found, 2 nothing could be done. */

const exitCodes = { fine: 0, problem: 1, undone: 2 } as const;

type Reached = { readonly origin?: string; readonly token?: string };

const program = new Command("audit")
  .exitOverride()
  .description("Checks what the service says of itself, without trusting it.");

function reaching(name: string, description: string, role: string): Command {
  return program
    .command(name)
    .description(description)
    .option("--origin <url>", "the service (default: the one that runs here)")
    .option("--token <token>", `a bearer token of the role ${role} (default: the local issuer's)`);
}

const auditor = "Compliance.Audit";

reaching("check", "reads the whole ledger of a running service and verifies every partition's chain", auditor).action(
  async (reached: Reached) => {
    const service = await reach(reached, auditor);
    const found = await verifyChain(eventsOf(service));
    print(...told(service.origin, found));
    process.exitCode = found.problems.length === 0 ? exitCodes.fine : exitCodes.problem;
  },
);

reaching("export", "writes events, checkpoints and keys into a folder, for verify", auditor)
  .argument("<dir>", "an empty folder, or one that is not there yet")
  .option("--force", "write over an export that is there")
  .action(async (directory: string, { force, ...reached }: Reached & { readonly force?: boolean }) => {
    const service = await reach(reached, auditor);
    const { events, checkpoints } = await exportLedger(service, directory, force === true);
    print(
      `Exported ${counted(events, "event")} and ${counted(checkpoints, "checkpoint")} of ${service.origin} to ${directory}.`,
      `Next: npm run audit -- verify ${directory} --trust <key thumbprint> --since <checkpoint that you hold>`,
    );
  });

program
  .command("verify")
  .description("verifies an export; needs the folder alone, no network")
  .argument("<dir>", "what export wrote")
  .option(
    "--trust <thumbprint>",
    "RFC 7638 thumbprint of a key that may sign; may be given more than once",
    collect,
    [],
  )
  .option(
    "--since <file>",
    "a checkpoint that you hold: its JWS, its line of checkpoints.ndjson, or a receipt or certificate",
  )
  .action(async (directory: string, { trust, since }: { readonly trust: string[]; readonly since?: string }) => {
    let problems = 0;
    const complain = ({ code, place, message }: Problem) => {
      problems += 1;
      print(`PROBLEM ${code} at ${place}: ${message}`);
    };
    const anchors = { trusted: trust, since };
    const summary = await verifyExport(directory, anchors, new Date(), complain);
    print(...verdict(directory, summary, anchors, problems));
    process.exitCode = problems === 0 ? exitCodes.fine : exitCodes.problem;
  });

reaching("report", "shows how retention, consent and access stand, for people to read", auditor)
  .option("--csv", "comma-separated values")
  .action(async ({ csv, ...reached }: Reached & { readonly csv?: boolean }) => {
    print(...(await report(await reach(reached, auditor), csv === true)));
  });

const registrar = "Registration.Manage";

reaching("forget", "forgets whom a subject id stands for; the ledger and its verification go on", registrar)
  .argument("<subject>", "the subject id, as events name it")
  .action(async (subject: string, reached: Reached) => {
    await forget(await reach(reached, registrar), subject);
    print(`Forgotten: nothing says any more whom ${subject} stands for.`);
  });

async function reach({ origin, token }: Reached, role: string): Promise<Service> {
  return {
    origin: origin === undefined ? await localOrigin(process.env) : originOf(origin),
    token: token ?? (await localToken(role)),
  };
}

function originOf(text: string): string {
  if (URL.canParse(text)) return new URL(text).origin;
  throw new Unreadable(`${text} is no origin. Name one such as http://127.0.0.1:7071.`);
}

function collect(thumbprint: string, before: string[]): string[] {
  if (/^[A-Za-z0-9_-]{43}$/.test(thumbprint)) return [...before, thumbprint];
  throw new Unreadable(`${thumbprint} is no RFC 7638 SHA-256 thumbprint: those have 43 characters of base64url.`);
}

async function* eventsOf(service: Service): AsyncGenerator<unknown> {
  for await (const page of readPages(service, "/compliance/events")) yield* page;
}

const print = (...lines: readonly string[]): void =>
  void process.stdout.write(lines.map((line) => `${printable(line)}\n`).join(""));

/** An export is anybody's text: it must not move a terminal's cursor. */
const printable = (line: string): string =>
  line.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`);

try {
  await program.parseAsync();
} catch (error) {
  // Commander has said what is wrong; help comes this way too.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.fine : exitCodes.undone;
  else {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = exitCodes.undone;
  }
}
