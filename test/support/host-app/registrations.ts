import { loadFunctionApp } from "../../../local/host.ts";

/** Run with the path of a function app: prints what it registers, as the Functions host would see it. */

const { registrations, hooks } = await loadFunctionApp(process.argv[2] ?? "");
console.log(
  JSON.stringify({
    functions: registrations.map(({ callback: _, ...registration }) => registration),
    hooks: Object.fromEntries(Object.entries(hooks).map(([name, callbacks]) => [name, callbacks.length])),
  }),
);
