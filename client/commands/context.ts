import type { Command } from "commander";
import { z } from "zod";
import { UsageError } from "../failure.ts";
import { signingKey } from "../keys.ts";
import { type Output, openOutput } from "../output.ts";
import { localFolder, type Profile, readProfile, serviceOrigin } from "../profile.ts";
import type { RetryNotice, RetryPolicy } from "../retry.ts";
import { asStamp, connect } from "../service.ts";
import { type StampApi, stampApi } from "../stamp.ts";
import type { Exchange } from "../transport.ts";
import { openCommandLine } from "./line.ts";
import { typedPath } from "./paths.ts";

/** What every command works with: where things are, how to speak, and when to stop. */
export type Context = {
  readonly local: string;
  readonly origin: string;
  /** The line to the service and its storage. */
  readonly exchange: Exchange;
  /** The file that `--ca` names. */
  readonly caFile: string | undefined;
  readonly output: Output;
  readonly signal: AbortSignal;
};

/** Runs a command's work; the number that it returns is the exit code. */
export type Run = (command: Command, work: (context: Context) => Promise<number>) => Promise<void>;

const globalOptions = z.object({
  json: z.boolean().default(false),
  quiet: z.boolean().default(false),
  origin: z.string().optional(),
  ca: z.string().optional(),
  limitRate: z.string().optional(),
});

export async function openContext(command: Command, signal: AbortSignal): Promise<Context> {
  const { json, quiet, origin, ca, limitRate } = globalOptions.parse(command.optsWithGlobals());
  const local = localFolder(process.env);
  return {
    local,
    origin: await serviceOrigin(origin, process.env, local),
    exchange: await openCommandLine(
      { ca, limitRate },
      ca === undefined ? (await readProfile(local))?.caFile : undefined,
    ),
    caFile: ca === undefined ? undefined : typedPath(ca),
    output: openOutput({ json, quiet }),
    signal,
  };
}

/** How a command calls the service, where that is not the default. */
type Calling = { readonly retry?: RetryPolicy; readonly onRetry?: (notice: RetryNotice) => void };

/** The stamp of this machine. Throws `UsageError` before the first `register`. */
export async function stampProfile({ local }: Pick<Context, "local">): Promise<Profile> {
  const profile = await readProfile(local);
  if (profile !== undefined) return profile;
  throw new UsageError(`There is no stamp in ${local} yet. Make and register one: npm run stamp -- register`);
}

/** The stamp of this machine and its side of the contract. Throws `UsageError` before the first `register`. */
export async function openStamp(context: Context, calling: Calling = {}): Promise<{ api: StampApi; profile: Profile }> {
  const profile = await stampProfile(context);
  const onRetry = ({ reason }: RetryNotice) => context.output.note(`${reason.message}. Trying again…`);
  const service = connect(context.origin, asStamp(await signingKey(profile.privateKey)), {
    exchange: context.exchange,
    onRetry,
    ...calling,
  });
  return { api: stampApi(service, profile.stampId), profile };
}
