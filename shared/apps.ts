import type { Permission, Route } from "./api/route.ts";

/**
 * The one package runs as two apps, each with an identity of its own. *Intake* faces stamps and verifies what they send; *access* faces
 * people, and its timers delete. On one machine one process is both.
 */

export const appNames = ["intake", "access"] as const;
export type AppName = (typeof appNames)[number];

/** What a process registers at start (`APP_ROLE`). */
export const appRoles = [...appNames, "all"] as const;
export type AppRole = (typeof appRoles)[number];

/** The app that serves what this one does not. */
export type OtherApp = { readonly name: AppName; readonly origin: string };

export const otherThan = (name: AppName): AppName => (name === "intake" ? "access" : "intake");

export const runsIn = (role: AppRole, app: AppName): boolean => role === "all" || role === app;

/** A signature and a manifest open intake, every token opens access. */
const opens = (permission: Permission): AppName =>
  permission === "stamp" || permission === "manifest" ? "intake" : "access";

/** A route as a role serves it: to the credentials that open it there. `undefined` where there are none. */
export function servedBy<R extends Pick<Route, "who">>(role: AppRole, route: R): R | undefined {
  if (route.who === "anyone") return route;
  const who = route.who.filter((permission) => runsIn(role, opens(permission)));
  return who.length === 0 ? undefined : { ...route, who };
}
