import { createRequire, registerHooks } from "node:module";

/**
 * Loads one built file in this process, runs its `appStart` hooks and prints the milliseconds of that: Node's own start is not in them. In place of
 * `@azure/functions-core` stands next to nothing.
 */

const started: ((context: object) => unknown)[] = [];
const core = {
  version: "3.10.0",
  hostVersion: "4.1037.0",
  Disposable: class {},
  log: () => {},
  setProgrammingModel: () => {},
  getProgrammingModel: () => undefined,
  registerFunction: () => ({}),
  registerHook: (name: string, hook: (context: object) => unknown) => {
    if (name === "appStart") started.push(hook);
    return {};
  },
};
Reflect.set(globalThis, "functionsCore", core);
const url = "bench:functions-core";
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "@azure/functions-core" ? { url, format: "commonjs", shortCircuit: true } : next(specifier, context),
  load: (asked, context, next) =>
    asked === url
      ? { format: "commonjs", source: "module.exports = globalThis.functionsCore", shortCircuit: true }
      : next(asked, context),
});

const begun = performance.now();
createRequire(import.meta.url)(process.argv[2] ?? "");
for (const hook of started) await hook({ hookData: {}, appHookData: {}, functionAppDirectory: "" });
console.log(performance.now() - begun);
process.exit();
