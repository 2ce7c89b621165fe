import { describe, expect, it } from "vitest";
import { parseRouteTemplate } from "../../../local/host/routeTemplate.ts";
import type { Route } from "../../../shared/api/route.ts";
import { routes } from "../../../shared/api/routes.ts";

/**
 * The Functions host asks the functions that have the verb in the order of their names, and the first whose template fits takes the request: a
 * literal has no precedence over a parameter (`DESIGN.md`, Platform). So a function may stand in another's way.
 */

const guid = "7f1c2a54-0b1e-4c5e-9a77-3d1b8d2f6a10";
/** What may stand for a parameter; for one that has several shapes, each. */
const values: Readonly<Record<string, readonly string[]>> = {
  stampId: [guid, guid.toUpperCase()],
  bundleId: [guid],
  dropBoxId: [guid],
  grantId: [guid],
  subjectId: [guid],
  oid: [guid],
  caseNumber: ["221128004000623", "2211280040006230123"],
  version: ["2026-11-01"],
  seq: ["1", "40"],
  extractionId: ["ab".repeat(32)],
};

/** As .NET's `OrdinalIgnoreCase` has them: upper-cased, so that `_` comes after every letter. */
const inHostOrder = (one: Route, other: Route): number =>
  one.operationId.toUpperCase() < other.operationId.toUpperCase() ? -1 : 1;

const functions = Object.values<Route>(routes)
  .sort(inHostOrder)
  .map(({ operationId, verb, path }) => ({ operationId, verb, template: parseRouteTemplate(path) }));

const takerOf = (verb: string, path: string): string | undefined =>
  functions.find((each) => each.verb === verb && each.template.match(path) !== undefined)?.operationId;

/** Every path that the template is for. */
function pathsOf(template: string): string[] {
  const parameter = /\{(\w+)\}/.exec(template);
  if (parameter === null) return [template];
  const [whole, name = ""] = parameter;
  const known = values[name];
  if (known === undefined) throw new Error(`Say here what may stand for {${name}}`);
  return known.flatMap((value) => pathsOf(template.replace(whole, value)));
}

describe("each operation's paths", () => {
  it.each(Object.values<Route>(routes).map(({ operationId, verb, path }) => [operationId, verb, path] as const))(
    "%s takes %s %s itself, in any capitals and with a slash at its end",
    (operationId, verb, template) => {
      for (const path of pathsOf(template)) {
        for (const spelled of [path, path.toUpperCase(), `${path}/`]) expect(takerOf(verb, spelled)).toBe(operationId);
      }
    },
  );
});

describe("the table of routes", () => {
  it("has one function for a verb and a template, parameters' names aside", () => {
    const taken = Object.values<Route>(routes).map(
      ({ verb, path }) => `${verb} ${path.replaceAll(/\{\w+\}/g, "{}").toLowerCase()}`,
    );
    expect(new Set(taken).size).toBe(taken.length);
  });

  it("leaves the last place to the function that answers what no other takes", () => {
    for (const { operationId } of functions) expect(operationId.toUpperCase() < "ZZUNKNOWN").toBe(true);
  });

  it("has no route that the host keeps for itself", () => {
    for (const { path } of Object.values<Route>(routes)) expect(path.toLowerCase()).not.toMatch(/^\/?admin/);
  });
});
