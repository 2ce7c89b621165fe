import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { functionsFile, registeredFunctions } from "../../../docs/functions.ts";
import { type AppFunction, appsOf, disabledIn } from "../../../infra/placement.ts";
import { routes } from "../../../shared/api/routes.ts";

/** Which app runs which function. */

let functions: readonly AppFunction[];
beforeAll(async () => {
  functions = await registeredFunctions();
});

const placeOf = (name: string): readonly string[] =>
  appsOf(functions.find((each) => each.name === name) ?? { name, trigger: "" });

it("infra/functions.json is what the routes and triggers give: npm run docs writes it", async () => {
  expect(readFileSync(join(import.meta.dirname, "../../../infra/functions.json"), "utf8")).toBe(await functionsFile());
});

describe("every function", () => {
  it("is one of the routes, a queue's, a timer's or the last one", () => {
    const others = functions.filter(({ name }) => !(name in routes));
    expect(others.filter(({ trigger }) => trigger === "httpTrigger").map(({ name }) => name)).toEqual(["zzUnknown"]);
    expect(functions.filter(({ name }) => name in routes)).toHaveLength(Object.keys(routes).length);
  });

  it("runs in the app it should, and somewhere", () => {
    const disabled = disabledIn(functions);
    for (const each of functions) {
      const runsIn = (["intake", "access"] as const).filter((app) => !disabled[app].includes(each.name));
      expect(runsIn, each.name).toEqual(appsOf(each));
      expect(runsIn.length, each.name).toBeGreaterThan(0);
    }
  });

  it("has a name that its switch can hold: letters, digits and underscores", () => {
    for (const { name } of functions) expect(name).toMatch(/^\w+$/);
  });
});

describe("the app that faces stamps", () => {
  it.each(Object.values(routes).filter(({ who }) => who !== "anyone" && !who.includes("stamp")))(
    "takes no token's request: $operationId",
    ({ operationId, who }) => {
      const onlyTokens = who !== "anyone" && who.every((permission) => ["R", "C", "E", "A"].includes(permission));
      expect(placeOf(operationId).includes("intake")).toBe(!onlyTokens);
    },
  );

  it("lends nothing and deletes by no timer", () => {
    expect(placeOf("Grants_IssueUrl")).toEqual(["access"]);
    expect(placeOf("Grants_Put")).toEqual(["access"]);
    for (const { name, trigger } of functions)
      if (trigger === "timerTrigger") expect(placeOf(name), name).toEqual(["access"]);
  });

  it("takes no file out of a bundle to lend it", () => {
    expect(placeOf("extractFile")).toEqual(["access"]);
    expect(placeOf("extractFilePoisoned")).toEqual(["access"]);
  });

  it("alone verifies, and takes what stamps send", () => {
    expect(placeOf("verifyBundle")).toEqual(["intake"]);
    expect(placeOf("Bundles_Put")).toEqual(["intake"]);
    expect(placeOf("Bundles_Submit")).toEqual(["intake"]);
  });
});

it("what both may read, and what anyone may, is at both", () => {
  for (const name of ["Bundles_Get", "Stamps_Get", "Service_GetHealth", "Service_GetKeys", "zzUnknown"]) {
    expect(placeOf(name), name).toEqual(["intake", "access"]);
  }
});

it("a trigger that nobody decided about is refused by name", () => {
  expect(() => appsOf({ name: "arrived", trigger: "eventGridTrigger" })).toThrow(/^arrived: decide in/);
});
