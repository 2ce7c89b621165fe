import type { Permission } from "../shared/api/route.ts";
import { routes } from "../shared/api/routes.ts";

/**
 * Which of the two apps runs a function. Both have the same package; what an app does not run is switched off in its settings
 * (`AzureWebJobs.<name>.Disabled`). *intake* faces stamps and verifies what they sent; *access* faces people, and its timers delete.
 */

export const apps = ["intake", "access"] as const;
export type AppName = (typeof apps)[number];

/** A function as the host sees it: its name and the type of its trigger. */
export type AppFunction = { readonly name: string; readonly trigger: string };

const both: readonly AppName[] = apps;
const peoplesRoles: readonly Permission[] = ["R", "C", "E", "A"];

/** Throws an `Error` for a trigger that nobody decided about. */
export function appsOf({ name, trigger }: AppFunction): readonly AppName[] {
  switch (trigger.toLowerCase()) {
    case "httptrigger":
      return appsOfRoute(name);
    case "queuetrigger":
      // Files are taken out of bundles where people's requests for them are: the other app is not to lend.
      return name.startsWith("extractFile") ? ["access"] : ["intake"];
    case "timertrigger":
      return ["access"];
    default:
      throw new Error(`${name}: decide in infra/placement.ts which app runs what a ${trigger} starts.`);
  }
}

/** What tokens open is access's, what a stamp's own key opens is intake's; what both open, and what anyone may read, is at both. */
function appsOfRoute(name: string): readonly AppName[] {
  const route = Object.values(routes).find(({ operationId }) => operationId === name);
  // The one that answers for every path no other takes.
  if (route === undefined || route.who === "anyone") return both;
  const { who } = route;
  const forPeople = who.some((permission) => peoplesRoles.includes(permission));
  const forMachines = who.some((permission) => !peoplesRoles.includes(permission));
  return apps.filter((app) => (app === "access" ? forPeople : forMachines));
}

/** By app, the names of the functions that it does not run: `infra/functions.json`, which Bicep reads. */
export const disabledIn = (functions: readonly AppFunction[]): Readonly<Record<AppName, readonly string[]>> => ({
  intake: functions.filter((each) => !appsOf(each).includes("intake")).map(({ name }) => name),
  access: functions.filter((each) => !appsOf(each).includes("access")).map(({ name }) => name),
});
