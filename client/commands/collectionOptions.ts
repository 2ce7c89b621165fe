import type { Command } from "commander";
import type { CollectionOptions } from "../../shared/api/stamps.ts";
import { optionsRefused, optionsUnregistered, optionsWithoutLine, privilegedEndpointCommands } from "../collection.ts";
import { isRefused, LineError, RefusedError, UnreachableError } from "../errors.ts";
import { exitCodes } from "../failure.ts";
import { readProfile } from "../profile.ts";
import type { RetryPolicy } from "../retry.ts";
import { type Context, openStamp, type Run } from "./context.ts";

/** `options`: which ways of sending are open to this stamp. It answers without a line and without a registration too. */

export function addCollectionOptions(program: Command, run: Run): void {
  program
    .command("options")
    .description("which ways of sending logs are open now, and which is recommended; works without a line too")
    .action((_options, command: Command) => run(command, showOptions));
}

/** Somebody asks who thinks that there is no line: one more try, and the answer. */
const once: RetryPolicy = { tries: 2, firstDelayMs: 500, longestDelayMs: 500 };

type Situation = { readonly registered: boolean; readonly connected: boolean; readonly options: CollectionOptions };

async function showOptions(context: Context): Promise<number> {
  const { registered, connected, options } = await situationOf(context);
  context.output.result({ registered, connected, ...options }, ...linesOf(options));
  return exitCodes.fine;
}

async function situationOf(context: Context): Promise<Situation> {
  const unregistered = { registered: false, connected: false, options: optionsUnregistered() };
  if ((await readProfile(context.local)) === undefined) return unregistered;
  try {
    const { api } = await openStamp(context, { retry: once, onRetry: () => {} });
    return { registered: true, connected: true, options: await api.collectionOptions(context.signal) };
  } catch (error) {
    if (isRefused(error, "KeyUnknown")) return { ...unregistered, connected: true };
    if (isRefused(error, "StampDisabled", "KeyRetired")) {
      const options = optionsRefused(error.message, error.code === "KeyRetired");
      return { registered: true, connected: true, options };
    }
    if (!isLineTrouble(error)) throw error;
    context.output.note(`${error.message}.`.replace(/\.\.$/, "."));
    return { registered: true, connected: false, options: optionsWithoutLine() };
  }
}

/** No answer, one of something in between, or a service that cannot answer now. */
const isLineTrouble = (error: unknown): error is Error =>
  error instanceof UnreachableError ||
  error instanceof LineError ||
  (error instanceof RefusedError && (error.status >= 500 || error.code === `Http${error.status}`));

const names = {
  proactive: "proactive collection",
  sendNow: "send logs now",
  saveLocally: "save logs locally",
  privilegedEndpoint: "privileged endpoint",
} as const satisfies Record<keyof CollectionOptions, string>;

function linesOf(options: CollectionOptions): string[] {
  const order = ["proactive", "sendNow", "saveLocally", "privilegedEndpoint"] as const;
  const lines = order.flatMap((name) => {
    const { available, recommended, reasons } = options[name];
    const stands = [available ? "available" : "not available", ...(recommended ? ["recommended"] : [])].join(", ");
    return [`${names[name]}: ${stands}`, ...reasons.map((reason) => `  ${reason}`)];
  });
  return options.privilegedEndpoint.recommended
    ? [...lines, "On the privileged endpoint:", ...privilegedEndpointCommands.map((line) => `  ${line}`)]
    : lines;
}
