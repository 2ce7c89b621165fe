import { describe, expect, it } from "vitest";
import { routes } from "../../../shared/api/routes.ts";
import { appNames, otherThan, servedBy } from "../../../shared/apps.ts";
import { notServedHere } from "../../../shared/http/elsewhere.ts";

/** What one app says of a route that only the other one serves. */

const origin = "https://other.example.com";
const pathOf = (template: string) => template.replaceAll(/\{\w+\}/g, "5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c11");

describe.each(appNames)("%s, the other app", (name) => {
  const other = { name, origin };

  it.each(Object.values(routes))("is named for $operationId if it alone serves that", (route) => {
    const isItsAlone = servedBy(otherThan(name), route) === undefined;
    const refusal = notServedHere(other, route.verb, pathOf(route.path));
    expect(refusal?.code).toBe(isItsAlone ? "NotFound" : undefined);
    if (isItsAlone) expect(refusal?.message).toContain(origin);
  });
});

const access = { name: "access", origin } as const;

it.each([
  ["in capitals", "GET", "/CASES"],
  ["with a slash at the end", "GET", "/cases/"],
])("a path is matched as the host matches it: %s", (_name, verb, path) => {
  expect(notServedHere(access, verb, path)).toBeDefined();
});

it.each([
  ["another verb", "DELETE", "/cases"],
  ["a longer path", "GET", "/cases/1/2"],
  ["an action that is none", "GET", "/cases/1:close"],
  ["an empty segment", "GET", "/cases//bundles"],
])("what neither app serves is nobody's: %s", (_name, verb, path) => {
  expect(notServedHere(access, verb, path)).toBeUndefined();
});
