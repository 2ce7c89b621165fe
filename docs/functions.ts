import { join } from "node:path";
import { type AppFunction, disabledIn } from "../infra/placement.ts";
import { loadFunctionApp } from "../local/host.ts";

/** Every function of the app with its trigger, in the order of their names. */
export async function registeredFunctions(): Promise<readonly AppFunction[]> {
  const { registrations } = await loadFunctionApp(join(import.meta.dirname, "../functions/index.ts"));
  return registrations
    .map(({ name, bindings }) => ({ name, trigger: triggerOf(Object.values(bindings)) }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

const triggerOf = (bindings: readonly { readonly type: string }[]): string =>
  bindings.find(({ type }) => /trigger$/i.test(type))?.type ?? "function without a trigger";

/** `infra/functions.json`: what each app leaves to the other. */
export const functionsFile = async (): Promise<string> =>
  `${JSON.stringify(disabledIn(await registeredFunctions()), null, 2)}\n`;
