import { registerHooks } from "node:module";
import { z } from "zod";

/**
 * A stand-in for `@azure/functions-core`, the module that the Functions worker puts in place at run time and no registry holds.
 * With it `@azure/functions` hands over every registration, and its own classes turn what the host sends into what handlers see.
 * The module's shape is that of the worker's published types (azure-functions-nodejs-worker, `types-core`).
 */

const moduleName = "@azure/functions-core";
const moduleUrl = "stamp-intake:functions-core";
const globalName = Symbol.for(moduleUrl);

const binding = z.looseObject({ type: z.string(), direction: z.enum(["in", "out", "inout"]) });
const metadata = z.object({
  name: z.string(),
  bindings: z.record(z.string(), binding),
  retryOptions: z.unknown().optional(),
});

export type FunctionCallback = (...inputsAndContext: unknown[]) => unknown;
export type Registration = z.infer<typeof metadata> & { readonly callback: FunctionCallback };

const hookNames = ["appStart", "appTerminate", "preInvocation", "postInvocation"] as const;
export type HookName = (typeof hookNames)[number];
export type HookCallback = (context: object) => unknown;

export type LogLevel = "trace" | "debug" | "information" | "warning" | "error" | "critical" | "none";

/** What the worker hands the library for one run, and the library's three steps for it. */
export type CoreInvocationContext = {
  readonly invocationId: string;
  readonly request: { readonly inputData: readonly object[]; readonly triggerMetadata: Record<string, object> };
  readonly metadata: Pick<Registration, "name" | "bindings">;
  state: "preInvocationHooks" | "invocation" | "postInvocationHooks" | undefined;
  readonly log: (level: LogLevel, category: string, message: string) => void;
};
export type InvocationModel = {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<unknown>;
};
export type ProgrammingModel = {
  readonly name: string;
  readonly version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  getCapabilities?(capabilities: Record<string, string>): Promise<Record<string, string>>;
};

/** As the worker has it: the library and function apps may ask for it by name. */
class Disposable {
  readonly #dispose: () => unknown;
  constructor(dispose: () => unknown) {
    this.#dispose = dispose;
  }
  static from(...all: readonly { dispose: () => unknown }[]): Disposable {
    return new Disposable(() => {
      for (const each of all) each.dispose();
    });
  }
  dispose(): unknown {
    return this.#dispose();
  }
}

export type FunctionsCore = {
  readonly registrations: readonly Registration[];
  readonly hooks: Readonly<Record<HookName, readonly HookCallback[]>>;
  /** The library's model, set by its first registration. */
  readonly programmingModel: () => ProgrammingModel | undefined;
};

let installed: FunctionsCore | undefined;

/** Puts the stand-in in place for the whole process, for `require` and `import` alike. Call it before the function app is loaded. */
export function installFunctionsCore(log: CoreInvocationContext["log"]): FunctionsCore {
  if (installed !== undefined) return installed;
  const registrations: Registration[] = [];
  const hooks: Record<HookName, HookCallback[]> = {
    appStart: [],
    appTerminate: [],
    preInvocation: [],
    postInvocation: [],
  };
  let model: ProgrammingModel | undefined;

  const core = {
    version: "3.10.0",
    hostVersion: "4.1037.0",
    Disposable,
    log,
    setProgrammingModel: (next: ProgrammingModel) => {
      model = next;
    },
    getProgrammingModel: () => model,
    registerFunction: (given: unknown, callback: FunctionCallback) => {
      const registration = { ...metadata.parse(given), callback };
      if (registrations.some((other) => other.name.toLowerCase() === registration.name.toLowerCase())) {
        throw new Error(`A function with the name "${registration.name}" has already been registered.`);
      }
      registrations.push(registration);
      return new Disposable(() => registrations.splice(registrations.indexOf(registration), 1));
    },
    registerHook: (name: unknown, callback: HookCallback) => {
      const list = hooks[z.enum(hookNames).parse(name)];
      list.push(callback);
      return new Disposable(() => list.splice(list.indexOf(callback), 1));
    },
  };

  provideModule(core);
  installed = { registrations, hooks, programmingModel: () => model };
  return installed;
}

/** The library asks with `require` from a bundle of its own, so a global is the one road from there to this object. */
function provideModule(core: object): void {
  Reflect.set(globalThis, globalName, core);
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === moduleName ? { url: moduleUrl, format: "commonjs", shortCircuit: true } : next(specifier, context),
    load: (url, context, next) =>
      url === moduleUrl
        ? {
            format: "commonjs",
            source: `module.exports = globalThis[Symbol.for(${JSON.stringify(moduleUrl)})];`,
            shortCircuit: true,
          }
        : next(url, context),
  });
}
