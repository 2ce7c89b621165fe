import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { functionsFile, functionsOf } from "../../../docs/functions.ts";
import { routes } from "../../../shared/api/routes.ts";
import { type AppName, type AppRole, appNames, appRoles } from "../../../shared/apps.ts";

/** Which app registers which function. */

let registered: Readonly<Record<AppRole, readonly string[]>>;
beforeAll(async () => {
  const [intake, access, all] = await Promise.all(appRoles.map(functionsOf));
  registered = { intake: intake ?? [], access: access ?? [], all: all ?? [] };
});

const placeOf = (name: string): readonly AppName[] => appNames.filter((app) => registered[app].includes(name));

it("infra/functions.json says what each app registers: npm run docs writes it", async () => {
  expect(await readFile(join(import.meta.dirname, "../../../infra/functions.json"), "utf8")).toBe(
    await functionsFile(),
  );
});

describe("every function", () => {
  it("is registered under the same name in the role all, and in one of the apps at least", () => {
    expect(new Set([...registered.intake, ...registered.access])).toEqual(new Set(registered.all));
    expect(registered.all.filter((name) => name in routes)).toHaveLength(Object.keys(routes).length);
  });

  it("has a name that a query and a setting can hold: letters, digits and underscores", () => {
    for (const name of registered.all) expect(name).toMatch(/^\w+$/);
  });
});

describe("the app that faces stamps", () => {
  it("lends nothing, deletes by no timer, and takes no file out of a bundle to lend it", () => {
    for (const name of ["Grants_IssueUrl", "Grants_Put", "extractFile", "extractFilePoisoned"]) {
      expect(placeOf(name), name).toEqual(["access"]);
    }
    for (const name of ["foldLedger", "forgetOld", "purgeDue", "reconcile", "sealCheckpoint", "sweepUnfinished"]) {
      expect(placeOf(name), name).toEqual(["access"]);
    }
  });

  it("alone verifies, and takes what stamps send", () => {
    for (const name of ["verifyBundle", "verifyBundlePoisoned", "noteArrival", "Bundles_Put", "Bundles_Submit"]) {
      expect(placeOf(name), name).toEqual(["intake"]);
    }
  });
});

it("what both kinds of credential open, what anyone may read, and the last of all, is at both", () => {
  for (const name of ["Bundles_Get", "Stamps_Get", "Service_GetHealth", "Service_GetKeys", "zzUnknown"]) {
    expect(placeOf(name), name).toEqual(["intake", "access"]);
  }
});
