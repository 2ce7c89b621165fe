import type { Command } from "commander";
import { z } from "zod";
import type { Access, Bundle } from "../../shared/api/bundles.ts";
import { exitCodes } from "../failure.ts";
import { size, table, time } from "../output.ts";
import type { StampApi } from "../stamp.ts";
import { type Context, openStamp, type Run } from "./context.ts";
import { wholeNumber } from "./options.ts";

/** `history`: what the stamp's portal shows of its log collections, and what it does not: why one failed, how long it stays, who was lent it. */

const historyOptions = z.object({ top: z.number().default(20) });

export function addHistory(program: Command, run: Run): void {
  program
    .command("history")
    .description("the log collection history, newest first: what was sent, what became of it, who was given access")
    .option("--top <count>", "how many (default: 20)", wholeNumber)
    .action((_options, command: Command) => run(command, (context) => history(context, command.opts())));
}

/** How often access to a bundle was given, and when last. */
type Accesses = { readonly count: number; readonly lastOn?: string };

async function history(context: Context, given: unknown): Promise<number> {
  const { top } = historyOptions.parse(given);
  const { api } = await openStamp(context);
  const bundles = await firstOf(api.bundles(context.signal), top);
  const accesses = await accessesOf(api, bundles, context.signal);
  const rows = bundles.map((bundle) => ({ ...bundle, accesses: accesses.get(bundle.bundleId) ?? none }));
  context.output.result(rows, ...(rows.length === 0 ? nothingYet : linesOf(rows)));
  return exitCodes.fine;
}

const none: Accesses = { count: 0 };
const nothingYet = ["Nothing has been sent yet. To send: npm run stamp -- send <zip>"];

const heading = [
  "time collected",
  "status",
  "logs start",
  "logs end",
  "type",
  "size",
  "tries",
  "kept until",
  "accesses",
  "bundle",
];

/** A row for each bundle, and below it why one came to nothing or waits. */
function linesOf(bundles: readonly (Bundle & { readonly accesses: Accesses })[]): string[] {
  const [titles = "", ...rows] = table(
    heading,
    bundles.map((bundle) => [
      time(bundle.collectedOn),
      bundle.state,
      time(bundle.logsFrom),
      time(bundle.logsTo),
      bundle.mode === "proactive" ? "proactive" : "manual",
      size(bundle.sizeBytes),
      String(bundle.verification?.attempts ?? 0),
      keptUntil(bundle),
      accessText(bundle.accesses),
      bundle.bundleId,
    ]),
  );
  return [titles, ...bundles.flatMap((bundle, index) => [rows[index] ?? "", ...noteOf(bundle)])];
}

function keptUntil({ purge, purgeOn }: Bundle): string {
  if (purge?.deletedOn !== undefined) return `deleted ${purge.deletedOn.slice(0, 10)}`;
  return purge === undefined ? purgeOn.slice(0, 10) : "being deleted";
}

const accessText = ({ count, lastOn }: Accesses): string =>
  lastOn === undefined ? String(count) : `${count}, last ${lastOn.slice(0, 10)}`;

function noteOf({ state, rejection, verification, purge, erasure }: Bundle): string[] {
  const notes = [
    rejection && `${rejection.message} (${rejection.code})`,
    state === "submitted" &&
      verification?.lastError &&
      "Not verified yet: the trouble is the service's own, and it tries again.",
    state === "expired" && "It was not submitted within 48 hours of its creation.",
    state === "purged" && purge && `Deleted by ${reasons[purge.basis]}.`,
    erasure && state !== "purged" && `To be erased on ${time(erasure.dueOn)}.`,
  ];
  return notes.flatMap((note) => (note ? [`  ${note}`] : []));
}

const reasons = {
  age: "age",
  erasure: "the operator's wish",
  caseClosed: "the closing of its case",
  rejected: "its rejection",
  canceled: "its cancellation",
  expired: "its expiry",
} as const satisfies Record<NonNullable<Bundle["purge"]>["basis"], string>;

/** Accesses come newest first, so those before the oldest of these bundles cannot be about any of them. */
async function accessesOf(
  api: StampApi,
  bundles: readonly Bundle[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Accesses>> {
  const counted = new Map<string, Accesses>(bundles.map(({ bundleId }) => [bundleId, none]));
  const oldest = Math.min(...bundles.map(({ createdOn }) => Date.parse(createdOn)));
  if (bundles.length === 0) return counted;
  for await (const { bundleId, on } of api.accesses(signal)) {
    if (Date.parse(on) < oldest) break;
    const known = counted.get(bundleId);
    if (known !== undefined) counted.set(bundleId, withAccess(known, on));
  }
  return counted;
}

const withAccess = ({ count, lastOn }: Accesses, on: Access["on"]): Accesses => ({
  count: count + 1,
  lastOn: lastOn ?? on,
});

async function firstOf<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const first: T[] = [];
  for await (const item of items) {
    first.push(item);
    if (first.length === count) break;
  }
  return first;
}
