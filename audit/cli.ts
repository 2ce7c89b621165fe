import { Command, CommanderError } from "commander";
import { type Verdict, verifyChain } from "./chain.ts";
import { readEvents, Unreadable } from "./events.ts";
import { localOrigin, localToken } from "./local.ts";

/** The auditor's command line: `npm run audit -- check`. Exit codes: 0 all holds, 1 a problem was found, 2 nothing could be checked. */

const exitCodes = { fine: 0, problem: 1, unchecked: 2 } as const;

type CheckOptions = { readonly origin?: string; readonly token?: string };

async function check({ origin: asked, token: given }: CheckOptions): Promise<void> {
  const origin = asked === undefined ? await localOrigin(process.env) : originOf(asked);
  const verdict = await verifyChain(readEvents(origin, given ?? (await localToken())));
  process.stdout.write(
    report(origin, verdict)
      .map((line) => `${line}\n`)
      .join(""),
  );
  process.exitCode = verdict.problems.length === 0 ? exitCodes.fine : exitCodes.problem;
}

function originOf(text: string): string {
  if (URL.canParse(text)) return new URL(text).origin;
  throw new Unreadable(`${text} is no origin. Name one such as http://127.0.0.1:7071.`);
}

/** What was checked, chain by chain, then what is wrong, then the verdict. */
function report(origin: string, { heads, events, problems }: Verdict): string[] {
  return [
    `The ledger of ${origin}`,
    ...[...heads].map(([partition, { seq, hash }]) => `  ${partition}: to seq ${seq}, hash ${hash}`),
    ...problems.map(({ code, partition, seq, index, message }) => {
      const where = partition === undefined ? `event ${index + 1} of the list` : `${partition} ${seq ?? "?"}`;
      return `PROBLEM ${code} at ${where}: ${message}`;
    }),
    `Checked ${counted(events, "event")} in ${counted(heads.size, "partition")}: ${
      problems.length === 0 ? "every chain holds." : `${counted(problems.length, "problem")}.`
    }`,
  ];
}

const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? "" : "s"}`;

const program = new Command("audit")
  .exitOverride()
  .description("Checks what the service says of itself, without trusting it.");

program
  .command("check")
  .description("reads the whole ledger of a running service and verifies every partition's chain")
  .option("--origin <url>", "the service (default: the one that runs here)")
  .option("--token <token>", "a bearer token of the role Compliance.Audit (default: the local issuer's)")
  .action((options: CheckOptions) => check(options));

try {
  await program.parseAsync();
} catch (error) {
  // Commander has said what is wrong; help comes this way too.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.fine : exitCodes.unchecked;
  else {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = exitCodes.unchecked;
  }
}
