import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import type { CoreInvocationContext, FunctionsCore, HookName, LogLevel, Registration } from "../functionsCore.ts";

/** What the host sends for a trigger, as the worker's protocol has it. */
export type TypedData = { readonly string: string } | { readonly json: string } | { readonly http: object };

export type Invocation = {
  readonly registration: Registration;
  readonly triggerName: string;
  readonly data: TypedData;
  readonly triggerMetadata?: Record<string, TypedData>;
};

export type Invoker = {
  /** Runs one function with its hooks, and gives its return value in the protocol's form. Throws what the function throws. */
  readonly invoke: (invocation: Invocation) => Promise<unknown>;
  /** Runs the app's `appStart` or `appTerminate` hooks in order; what one throws ends the rest. */
  readonly runAppHooks: (name: "appStart" | "appTerminate", context: object) => Promise<void>;
  /** Fails every run under way with `reason`, as the real host does when it replaces a worker. */
  readonly abandonAll: (reason: Error) => void;
};

const invocationResponse = z.object({ returnValue: z.unknown() });

/** Runs functions as the worker does: arguments, pre-invocation hooks, handler, post-invocation hooks, response. */
export function createInvoker(core: FunctionsCore, log: CoreInvocationContext["log"]): Invoker {
  const appHookData = {};
  const underWay = new Set<(reason: Error) => void>();

  const runHooks = async (name: HookName, context: object): Promise<void> => {
    for (const hook of core.hooks[name]) await hook(context);
  };

  const run = async ({ registration, triggerName, data, triggerMetadata }: Invocation): Promise<unknown> => {
    const model = core.programmingModel();
    if (model === undefined) throw new Error("The function app has not loaded @azure/functions.");
    const { name, bindings } = registration;
    const coreContext: CoreInvocationContext = {
      invocationId: randomUUID(),
      request: { inputData: [{ name: triggerName, data }], triggerMetadata: triggerMetadata ?? {} },
      metadata: { name, bindings },
      state: undefined,
      log: (level: LogLevel, category, message) => log(level, category, `[${name}] ${message}`),
    };
    const invocation = model.getInvocationModel(coreContext);
    const { context, inputs } = await invocation.getArguments();
    const hookData = {};

    const before = {
      hookData,
      appHookData,
      invocationContext: context,
      inputs,
      functionCallback: registration.callback,
    };
    coreContext.state = "preInvocationHooks";
    await runHooks("preInvocation", before);

    const after: { result: unknown; error: unknown } & Record<string, unknown> = {
      hookData,
      appHookData,
      invocationContext: context,
      inputs: before.inputs,
      result: null,
      error: null,
    };
    coreContext.state = "invocation";
    try {
      after.result = await invocation.invokeFunction(context, before.inputs, before.functionCallback);
    } catch (error) {
      after.error = error;
    }
    coreContext.state = "postInvocationHooks";
    await runHooks("postInvocation", after);
    coreContext.state = undefined;

    // The worker rethrows Errors only: a handler that throws anything else counts as one that returned nothing.
    if (after.error instanceof Error) throw after.error;
    return invocationResponse.parse(await invocation.getResponse(context, after.result)).returnValue;
  };

  return {
    invoke: (invocation) =>
      new Promise((resolve, reject) => {
        underWay.add(reject);
        run(invocation)
          // Node reports a rejection that nobody handled at the end of a turn, and it is to fail this very run.
          .finally(() => nextTurn())
          .then(resolve, reject)
          .finally(() => underWay.delete(reject));
      }),
    runAppHooks: async (name, context) => {
      await runHooks(name, { hookData: {}, appHookData, ...context });
    },
    abandonAll: (reason) => {
      for (const reject of [...underWay]) reject(reason);
    },
  };
}
