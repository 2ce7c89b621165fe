import { Command, CommanderError } from "commander";
import { addApproval } from "./commands/approval.ts";
import { addBundles } from "./commands/bundles.ts";
import { addCheck } from "./commands/check.ts";
import { addCollectionOptions } from "./commands/collectionOptions.ts";
import { addConsent } from "./commands/consent.ts";
import { openContext, type Run } from "./commands/context.ts";
import { addHistory } from "./commands/history.ts";
import { addImport } from "./commands/import.ts";
import { addPrune } from "./commands/prune.ts";
import { addRegister } from "./commands/register.ts";
import { addSave } from "./commands/save.ts";
import { addSend } from "./commands/send.ts";
import { environmentText, exitCodes, exitCodesText, explain, Interrupted } from "./failure.ts";

/** The command line of the reference client: `npm run stamp -- <command>`. */

const stop = new AbortController();
// Once each: a second signal ends the process as it always does.
process.once("SIGINT", () => stop.abort(new Interrupted()));
process.once("SIGTERM", () => stop.abort(new Interrupted()));

const run: Run = async (command, work) => {
  process.exitCode = await work(await openContext(command, stop.signal));
};

// The settings are copied to the subcommands as these are made, so they come first.
const program = new Command("stamp")
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .usage("[options] <command>")
  .description("The reference client of Stamp Intake: what a stamp and its operator can do.")
  .option("--json", "print the answer as JSON on standard output, and progress as JSON lines on standard error")
  .option("--quiet", "no progress and no notes; a failure is still told")
  .option("--origin <url>", "the service (default: STAMP_INTAKE_ORIGIN, else the one that runs here)")
  .option(
    "--ca <file>",
    "certificates (PEM) to trust beside Node's own; register keeps it (see also NODE_EXTRA_CA_CERTS)",
  )
  .option("--limit-rate <rate>", "send no faster: 500k, 5m are bytes a second; 800kbit, 4mbit are bits")
  .addHelpText("after", environmentText)
  .addHelpText("after", exitCodesText);

addRegister(program, run);
addConsent(program, run);
addCollectionOptions(program, run);
addCheck(program, run);
addSend(program, run);
addSave(program, run);
addImport(program, run);
addPrune(program, run);
addHistory(program, run);
addBundles(program, run);
addApproval(program, run);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = ending(error);
}

function ending(error: unknown): number {
  // Commander has said what is wrong; help and version come this way too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
  const { exitCode, code, lines } = explain(error);
  const told = JSON.stringify({ event: "error", code, message: lines.join(" "), exitCode });
  process.stderr.write(program.opts().json === true ? `${told}\n` : lines.map((line) => `${line}\n`).join(""));
  return exitCode;
}
