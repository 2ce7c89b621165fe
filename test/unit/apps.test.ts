import { describe, expect, it } from "vitest";
import { routes } from "../../shared/api/routes.ts";
import { appNames, servedBy } from "../../shared/apps.ts";

/** Which app serves which route, and to whom. */

const all = Object.values(routes);
const credentialed = all.flatMap((route) => (route.who === "anyone" ? [] : [{ ...route, who: route.who }]));
const isStamps = (permission: string) => permission === "stamp" || permission === "manifest";

describe("the role all", () => {
  it("serves every route as the contract has it", () => {
    for (const route of all) expect(servedBy("all", route)).toEqual(route);
  });
});

describe.each(appNames)("the app %s", (name) => {
  it.each(credentialed)("serves $operationId to its own kind of credential alone", (route) => {
    const own = route.who.filter((permission) => isStamps(permission) === (name === "intake"));
    expect(servedBy(name, route)?.who ?? []).toEqual(own);
    expect(servedBy(name, route) === undefined).toBe(own.length === 0);
  });

  it("serves what anyone may read", () => {
    for (const route of all.filter(({ who }) => who === "anyone")) expect(servedBy(name, route)).toBe(route);
  });
});

it("the two apps together serve every route to everybody that the contract names", () => {
  for (const { operationId, who } of credentialed) {
    const served = appNames.flatMap((name) => servedBy(name, { who })?.who ?? []);
    expect(new Set(served), operationId).toEqual(new Set(who));
  }
});
